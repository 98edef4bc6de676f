/**
 * Writes src/api/generated/go-data.ts: what the OpenAPI document does not tell about fields of built-in kinds.
 *
 *   node scripts/generate-go-fields.ts SWAGGER_JSON GO_MODULES
 *
 * GO_MODULES is a folder that holds the Go modules k8s.io/api, apimachinery, apiextensions-apiserver and
 * kube-aggregator: the tags in their types.go say which fields JSON always shows, which of them keep a zero value, and what Go calls
 * their types, which error messages name.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [input, modules] = process.argv.slice(2)
if (!input || !modules) {
  console.error('usage: node scripts/generate-go-fields.ts SWAGGER_JSON GO_MODULES')
  process.exit(1)
}

interface Property {
  $ref?: string
  type?: string
}
interface Definition {
  properties?: Record<string, Property>
}
const { definitions } = JSON.parse(readFileSync(input, 'utf8')) as { definitions: Record<string, Definition> }

/** Folders of Go packages, by the prefix of their definitions. */
const version = readdirSync(modules)
  .find(name => name.startsWith('api@'))!
  .slice('api'.length)
const folders: readonly [RegExp, string][] = [
  [/^io\.k8s\.api\.(.+)$/, `api${version}`],
  [/^io\.k8s\.apimachinery\.(.+)$/, `apimachinery${version}`],
  [/^io\.k8s\.apiextensions-apiserver\.(.+)$/, `apiextensions-apiserver${version}`],
  [/^io\.k8s\.kube-aggregator\.(.+)$/, `kube-aggregator${version}`],
]

interface GoField {
  readonly json: string
  /** As in the source: `*int32`, `[]Container`, `metav1.Time`. */
  readonly type: string
  readonly omitempty: boolean
  readonly omitzero: boolean
}
interface GoPackage {
  readonly structs: Map<string, { fields: GoField[]; embedded: string[] }>
  /** Other named types, with what they are. */
  readonly named: Map<string, string>
  /** Import paths by name. */
  readonly imports: Map<string, string>
}

const packages = new Map<string, GoPackage>()

function folderOf(name: string): string | undefined {
  for (const [pattern, module] of folders) {
    const path = pattern.exec(name)?.[1]
    if (path) return join(modules!, module, path.replaceAll('.', '/'))
  }
  return undefined
}

/** The package of definitions, e.g. `io.k8s.api.core.v1`, or of an import path such as `k8s.io/api/core/v1`. */
function goPackage(name: string): GoPackage {
  const known = packages.get(name)
  if (known) return known
  const made: GoPackage = { structs: new Map(), named: new Map(), imports: new Map() }
  packages.set(name, made)
  const folder = folderOf(name)
  if (!folder) return made
  for (const file of readdirSync(folder).filter(each => each.endsWith('.go') && !/_test|generated|zz_/.test(each))) {
    const text = readFileSync(join(folder, file), 'utf8')
    for (const [, alias, path] of text.matchAll(/^\s*(\w+)?\s*"(k8s\.io\/[^"]+)"$/gm)) {
      made.imports.set(
        alias ?? path!.slice(path!.lastIndexOf('/') + 1),
        path!.replace('k8s.io/', 'io.k8s.').replaceAll('/', '.'),
      )
    }
    for (const [, type, body] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) readStruct(made, type!, body!)
    for (const [, type, what] of text.matchAll(/^type (\w+) ([\w[\].]+)(?: *\/\/.*)?$/gm))
      if (what !== 'struct') made.named.set(type!, what!)
  }
  return made
}

function readStruct(target: GoPackage, type: string, body: string) {
  const struct = { fields: [] as GoField[], embedded: [] as string[] }
  for (const line of body.split('\n')) {
    const embedded = /^\s+([\w.]+)\s+`json:",inline"/.exec(line)
    if (embedded) struct.embedded.push(embedded[1]!)
    if (embedded) continue
    const field = /^\s+(?:\w+\s+)?([*[\]\w.]+)\s+`(?:[^`]*\s)?json:"([\w$-]+)([^"]*)"/.exec(line)
    if (!field) continue
    const [, goType = '', json = '', options = ''] = field
    struct.fields.push({
      json,
      type: goType,
      omitempty: options.includes('omitempty'),
      omitzero: options.includes('omitzero'),
    })
  }
  target.structs.set(type, struct)
}

/** A type as one resolves it: the package it stands in, and its name without pointers. */
function resolve(type: string, home: string): { home: string; name: string } {
  const bare = type.replace(/^\*/, '')
  const [first, second] = bare.split('.')
  if (!second) return { home, name: first! }
  return { home: goPackage(home).imports.get(first!) ?? '', name: second }
}

interface FoundField {
  readonly field: GoField
  readonly home: string
  /** Names of the embedded structs that it stands in, with dots. */
  readonly inside: string
}

/** Fields of a struct with those of the structs that are embedded in it. */
function fieldsOf(home: string, name: string): FoundField[] {
  const struct = goPackage(home).structs.get(name)
  if (!struct) return []
  const inherited = struct.embedded.flatMap(each => {
    const found = resolve(each, home)
    return fieldsOf(found.home, found.name).map(one => ({
      ...one,
      inside: one.inside ? `${found.name}.${one.inside}` : found.name,
    }))
  })
  return [...inherited, ...struct.fields.map(field => ({ field, home, inside: '' }))]
}

const SCALARS = /^(string|bool|int|int8|int16|int32|int64|uint8|uint16|uint32|uint64|float32|float64|byte)$/
/** Structs that are values in JSON, with their zero. */
const VALUES: Readonly<Record<string, string>> = {
  Time: 'null',
  MicroTime: 'null',
  Quantity: '"0"',
  IntOrString: '0',
  RawExtension: 'null',
  JSON: 'null',
}

/** What JSON shows for a field that was never set, where it shows anything: `{}` for a struct. */
function zeroOf({ type, omitempty, omitzero }: GoField, home: string): string | undefined {
  if (omitzero) return undefined
  if (/^(\*|\[\]|map\[)/.test(type)) return omitempty ? undefined : 'null'
  const found = resolve(type, home)
  if (SCALARS.test(found.name)) {
    if (omitempty) return undefined
    return found.name === 'string' ? '""' : found.name === 'bool' ? 'false' : '0'
  }
  if (VALUES[found.name]) return VALUES[found.name]
  const { structs, named } = goPackage(found.home)
  if (structs.has(found.name)) return found.name === 'FieldsV1' ? undefined : '{}'
  const what = named.get(found.name)
  return what === undefined ? undefined : zeroOf({ json: '', type: what, omitempty, omitzero }, found.home)
}

/** What Go calls the type of a field, where that is not plain from the schema: `v1.PodPhase`, `[]v1.FinalizerName`. */
function nameOf(type: string, home: string): string | undefined {
  const bare = type.replace(/^\*/, '')
  const outer = /^(\[\]|map\[([\w.]+)\])/.exec(bare)
  const key = outer?.[2] && nameOf(outer[2], home)
  const around = key ? `map[${key}]` : (outer?.[0] ?? '')
  const found = resolve(bare.slice(outer?.[0].length ?? 0), home)
  if (SCALARS.test(found.name))
    return found.name === 'int32' || found.name === 'int64' || found.name === 'string' || found.name === 'bool'
      ? key && `${around}${found.name}`
      : `${around}${found.name === 'byte' ? 'uint8' : found.name}`
  if (!key && !goPackage(found.home).named.has(found.name)) return undefined
  return `${around}${found.home.slice(found.home.lastIndexOf('.') + 1)}.${found.name}`
}

/** Scalars that are pointers keep a zero that was said. */
const isPointer = ({ type, omitempty }: GoField, property: Property) =>
  type.startsWith('*') &&
  omitempty &&
  (!property.$ref || /Quantity|IntOrString/.test(property.$ref)) &&
  property.type !== 'array'

const result: Record<string, Record<string, import('../src/api/generated/go-fields.ts').GoFields>> = {}
const missing: string[] = []
for (const [name, definition] of Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1))) {
  if (!definition.properties) continue
  const home = name.slice(0, name.lastIndexOf('.'))
  const short = name.slice(name.lastIndexOf('.') + 1)
  const fields = new Map(fieldsOf(home, short).map(each => [each.field.json, each]))
  if (fields.size === 0) missing.push(name)
  const zeros: Record<string, unknown> = {}
  const types: Record<string, string> = {}
  const pointers: string[] = []
  const embedded: Record<string, string> = {}
  for (const [json, property] of Object.entries(definition.properties)) {
    const found = fields.get(json)
    if (!found) continue
    const zero = zeroOf(found.field, found.home)
    if (zero !== undefined) zeros[json] = JSON.parse(zero)
    if (isPointer(found.field, property)) pointers.push(json)
    const type = nameOf(found.field.type, found.home)
    if (type) types[json] = type
    if (found.inside && found.inside !== 'TypeMeta') embedded[json] = found.inside
  }
  const facts = {
    ...(Object.keys(zeros).length && { zeros }),
    ...(pointers.length && { pointers }),
    ...(Object.keys(types).length && { types }),
    ...(Object.keys(embedded).length && { embedded }),
  }
  if (Object.keys(facts).length) (result[home] ??= {})[short] = facts
}
const text = Object.entries(result)
  .map(([name, facts]) => `  '${name}':\n    '${JSON.stringify(facts).replaceAll("'", "\\'")}',\n`)
  .join('')
writeFileSync(
  join(import.meta.dirname, '../src/api/generated/go-data.ts'),
  `// Made by scripts/generate-go-fields.ts. Do not edit.
/**
 * By package, in JSON, what is known of each definition's fields: \`zeros\`, what JSON shows where they were never set;
 * \`pointers\`, scalars that keep a zero; \`types\`, what Go calls them where their schema does not tell.
 */
export const packages: Readonly<Record<string, string>> = {\n${text}}\n`,
)
console.log(`${Object.keys(result).length} packages; without a Go type: ${missing.join(', ')}`)
