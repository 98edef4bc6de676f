/**
 * Writes src/api/generated from a Kubernetes OpenAPI v2 document: `npm run generate -- swagger.json`. The document is
 * what `kubectl get --raw /openapi/v2` prints for a server of the version that is to be served.
 *
 * Out come `types/<group>-<version>.ts` (interfaces, for the type checker only) and `schema-data.ts` (every definition in
 * the form of api/machinery/schema.ts, without prose). Same input, same bytes.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Schema } from '../src/api/machinery/schema.ts'

/** A schema object of OpenAPI v2, as far as Kubernetes uses it. */
interface Swagger {
  $ref?: string
  type?: Schema['type']
  format?: string
  properties?: Record<string, Swagger>
  required?: string[]
  items?: Swagger
  additionalProperties?: Swagger
  enum?: string[]
  default?: unknown
  // biome-ignore lint/suspicious/noExplicitAny: each extension has a type of its own
  [extension: `x-kubernetes-${string}`]: any
}

const out = join(import.meta.dirname, '../src/api/generated')
const header = '// Made by scripts/generate-api.ts from the Kubernetes OpenAPI document. Do not edit.\n'

/** Definitions that are one plain TypeScript type, not an interface. */
const aliases: Readonly<Record<string, string>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'string',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'string | number',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'string',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'string',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': 'Record<string, unknown>',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch': 'Record<string, unknown>',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'unknown',
}

/** Written by hand in api/machinery/object.ts, because every object has them. */
const handWritten = new Set(['ObjectMeta', 'OwnerReference', 'ManagedFieldsEntry', 'ListMeta'])

/** An enum longer than this is `string` in the types: it would only make messages of the type checker unreadable. */
const LONGEST_UNION = 12

const shortName = (name: string) => name.slice(name.lastIndexOf('.') + 1)
const packageOf = (name: string) => name.slice(0, name.lastIndexOf('.'))
const refOf = (schema: Swagger) => schema.$ref?.slice('#/definitions/'.length)

/** `io.k8s.api.apps.v1.Deployment` stands in `apps-v1.ts`. */
const moduleOf = (name: string) => {
  const parts = packageOf(name).split('.')
  return /^v\d/.test(parts.at(-1)!) ? `${parts.at(-2)}-${parts.at(-1)}` : parts.at(-1)!
}

/** The schema of machinery for one of OpenAPI. */
function convert(source: Swagger, name?: string): Schema {
  const ref = refOf(source)
  const schema: { -readonly [K in keyof Schema]: Schema[K] } = {}
  const put = <K extends keyof Schema>(key: K, value: Schema[K]) => {
    if (value !== undefined) schema[key] = value
  }
  if (ref) {
    put('ref', ref)
    put('default', source.default)
    put('mapType', source['x-kubernetes-map-type'])
    put('patchStrategy', source['x-kubernetes-patch-strategy'])
    return schema
  }
  const anything = !source.type || aliases[name ?? '']?.match(/unknown/)
  put('type', source.type)
  put('format', name?.endsWith('.resource.Quantity') ? 'quantity' : source.format)
  put('required', source.required)
  put('properties', source.properties && mapValues(source.properties, value => convert(value)))
  put('items', source.items && convert(source.items))
  put('additionalProperties', source.additionalProperties && convert(source.additionalProperties))
  put('enum', source.enum)
  put('default', source.default)
  put('listType', source['x-kubernetes-list-type'])
  put('listMapKeys', source['x-kubernetes-list-map-keys'])
  put('mapType', source['x-kubernetes-map-type'])
  put('patchStrategy', source['x-kubernetes-patch-strategy'])
  put('patchMergeKey', source['x-kubernetes-patch-merge-key'])
  if (anything) put('preserveUnknown', true)
  put('gvk', source['x-kubernetes-group-version-kind'])
  return schema
}

const mapValues = <T, U>(record: Record<string, T>, change: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))

/** One line per package: parsing is put off until something of it is asked for. */
function writeSchemas(definitions: Record<string, Swagger>): void {
  const packages = new Map<string, Record<string, Schema>>()
  for (const name of Object.keys(definitions).sort()) {
    const group = packages.get(packageOf(name)) ?? {}
    packages.set(packageOf(name), group)
    group[shortName(name)] = convert(definitions[name]!, name)
  }
  const lines = [...packages].map(([name, schemas]) => {
    const text = JSON.stringify(schemas).replaceAll('\\', '\\\\').replaceAll("'", "\\'")
    return `  '${name}':\n    '${text}',\n`
  })
  writeFileSync(
    join(out, 'schema-data.ts'),
    `${header}/** JSON of the definitions of each package of the OpenAPI document; read it through schemas.ts. */
export const packages: Readonly<Record<string, string>> = {\n${lines.join('')}}\n`,
  )
}

/** The TypeScript type of a field; modules it needs are added to `imports` as module → names. */
function typeOf(source: Swagger, module: string, imports: Map<string, Set<string>>): string {
  const ref = refOf(source)
  if (ref) {
    const alias = aliases[ref]
    if (alias) return alias
    if (moduleOf(ref) !== module) {
      const names = imports.get(moduleOf(ref)) ?? new Set<string>()
      imports.set(moduleOf(ref), names.add(shortName(ref)))
    }
    return shortName(ref)
  }
  if (source.enum && source.enum.length <= LONGEST_UNION) {
    return source.enum.map(value => `'${value}'`).join(' | ')
  }
  if (source.items) {
    const item = typeOf(source.items, module, imports)
    return item.includes('|') ? `(${item})[]` : `${item}[]`
  }
  if (source.additionalProperties) return `Record<string, ${typeOf(source.additionalProperties, module, imports)}>`
  switch (source.type) {
    case 'integer':
    case 'number':
      return 'number'
    case 'string':
    case 'boolean':
      return source.type
    case 'object':
      return 'Record<string, unknown>'
    default:
      return 'unknown'
  }
}

function declaration(name: string, source: Swagger, module: string, imports: Map<string, Set<string>>): string {
  if (!source.properties)
    return `export type ${shortName(name)} = ${aliases[name] ?? typeOf(source, module, imports)}\n`
  const fields = Object.entries(source.properties).map(([field, schema]) => {
    const key = /^[A-Za-z_$][\w$]*$/.test(field) ? field : `'${field}'`
    return `  ${key}${source.required?.includes(field) ? '' : '?'}: ${typeOf(schema, module, imports)}\n`
  })
  return `export interface ${shortName(name)} {\n${fields.join('')}}\n`
}

function writeTypes(definitions: Record<string, Swagger>): void {
  const folder = join(out, 'types')
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(folder)) rmSync(join(folder, file))
  const names = Object.keys(definitions).sort()
  for (const module of new Set(names.map(moduleOf))) {
    const imports = new Map<string, Set<string>>()
    const own = names.filter(name => moduleOf(name) === module)
    const skip = (name: string) => module === 'meta-v1' && handWritten.has(shortName(name))
    const body = own
      .filter(name => !skip(name))
      .map(name => declaration(name, definitions[name]!, module, imports))
      .join('\n')
    const shared = own.filter(skip).map(shortName).join(', ')
    const lines = [...imports]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([from, used]) => `import type { ${[...used].sort().join(', ')} } from './${from}.ts'\n`)
    if (shared) {
      lines.push(`import type { ${shared} } from '../../machinery/object.ts'\n`, `export type { ${shared} }\n`)
    }
    writeFileSync(join(folder, `${module}.ts`), `${header}${lines.join('')}\n${body}`)
  }
}

const file = process.argv[2]
if (!file) {
  console.error('usage: npm run generate -- SWAGGER_JSON (kubectl get --raw /openapi/v2)')
  process.exit(2)
}
const { definitions } = JSON.parse(readFileSync(file, 'utf8')) as { definitions: Record<string, Swagger> }
writeSchemas(definitions)
writeTypes(definitions)
console.log(`${Object.keys(definitions).length} definitions`)
