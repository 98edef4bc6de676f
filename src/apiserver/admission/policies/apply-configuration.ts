import type { SchemaNode } from '../../../api/machinery/schema-node.ts'

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What stands below a field: `undefined` where the schema does not know the field. */
function below(node: SchemaNode, key: string): SchemaNode | undefined {
  if (node.type === 'map') return node.element
  return node.type === 'object' ? node.fields.get(key) : undefined
}

const step = (key: string) => `.${key}`

/** The first thing that the schema does not know: `.spec.foo: field not declared in schema`. */
export function undeclaredIn(node: SchemaNode, value: unknown, path = ''): string | undefined {
  const wanted = node.type === 'array' ? 'list' : node.type === 'object' || node.type === 'map' ? 'map' : undefined
  if (wanted !== undefined && value !== null && typeof value !== 'object')
    return `${path}: expected ${wanted}, got &{${String(value)}}`
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const found = node.type === 'array' ? undeclaredIn(node.element, item, `${path}[${index}]`) : undefined
      if (found !== undefined) return found
    }
    return undefined
  }
  if (!isObject(value) || (node.type !== 'object' && node.type !== 'map')) return undefined
  for (const [key, item] of Object.entries(value)) {
    const field = below(node, key)
    if (field === undefined) {
      if (!node.open) return `${path}${step(key)}: field not declared in schema`
      continue
    }
    const found = undeclaredIn(field, item, `${path}${step(key)}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** The lists, maps and objects of a value that can only be replaced as a whole, by their paths. */
export function atomicsIn(node: SchemaNode, value: unknown, path = ''): string[] {
  const found: string[] = []
  if (Array.isArray(value) && node.type === 'array') {
    if (node.merging === 'atomic') found.push(path)
    for (const [index, item] of value.entries()) found.push(...atomicsIn(node.element, item, `${path}[${index}]`))
  }
  if (!isObject(value) || (node.type !== 'object' && node.type !== 'map')) return found
  if (node.merging === 'atomic') found.push(path)
  if (node.type !== 'object') return found
  for (const [key, item] of Object.entries(value)) {
    const field = node.fields.get(key)
    if (field !== undefined) found.push(...atomicsIn(field, item, `${path}${step(key)}`))
  }
  return found
}
