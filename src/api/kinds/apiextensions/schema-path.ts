/** Paths into custom schemas, as errors show them and as rules name fields. */
import { type JsonSchema, valuesOf } from '../../custom/json-schema.ts'

/** The path of a property's schema. */
export const propertyPath = (path: string, name: string) => `${path}.properties[${name}]`

/** Parts of a path: names, delimiters and texts in single quotes. */
function tokensOf(path: string): string[] {
  return path.match(/'(?:[^'\\]|\\.)*'?|[.[\]]|[^.[\]']+/g) ?? []
}

export interface FoundField {
  /** As errors show it: fields with dots, keys of maps in brackets. */
  readonly path: string
  readonly schema: JsonSchema | undefined
}

/** Follows a path such as `.spec.map['a.b']` through a schema. A text says why there is no such field. */
export function findField(jsonPath: string, root: JsonSchema, allowBrackets = true): FoundField | string {
  let schema: JsonSchema | undefined = root
  let path = ''
  const tokens = tokensOf(jsonPath)
  for (let at = 0; at < tokens.length; at++) {
    let name: string
    if (tokens[at] === '.') {
      const token = tokens[++at]
      if (token === undefined) return 'unexpected end of JSON path'
      name = token
    } else if (tokens[at] === '[') {
      if (!allowBrackets) return 'array notation is not allowed'
      const quoted = tokens[++at]
      if (quoted === undefined) return 'unexpected end of JSON path'
      if (!/^'.*'$/s.test(quoted) || quoted.length < 2) return `expected single quoted string but got ${quoted}`
      name = quoted.slice(1, -1).replace(/\\(.)/g, '$1')
      const end = tokens[++at]
      if (end === undefined) return 'unexpected end of JSON path'
      if (end !== ']') return `expected ] but got ${end}`
    } else return `expected [ or . but got: ${tokens[at]}`
    if (schema?.properties && Object.keys(schema.properties).length) {
      schema = schema.properties[name]
      if (!schema) return 'does not refer to a valid field'
      path = path ? `${path}.${name}` : name
    } else if (schema?.additionalProperties !== undefined) {
      schema = valuesOf(schema)
      path = `${path}[${name}]`
    } else return 'does not refer to a valid field'
  }
  return { path, schema }
}
