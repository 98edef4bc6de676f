/**
 * What a strategic merge patch makes, against the types of its kind: in the words of the converter that upstream makes
 * Go structs of maps with (k8s.io/apimachinery `pkg/runtime/converter.go`), which are not those of its JSON decoder.
 */
import type { SchemaNode } from './schema-node.ts'

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What Go calls the kind of a value that was JSON. */
function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice'
  if (typeof value === 'object') return 'map'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return 'string'
}

/** Named types have a kind; what is told is that, where nothing could be converted. */
const plainKind = ({ type, goType }: SchemaNode) =>
  type === 'string' ? 'string' : type === 'boolean' ? 'bool' : type === 'number' ? 'float64' : goType

function scalarProblem(node: SchemaNode, value: unknown): string | undefined {
  const kind = goKind(value)
  const isNumber = node.type === 'integer' || node.type === 'number'
  if (node.type === kind || (node.type === 'boolean' && kind === 'bool')) return undefined
  if (isNumber && (kind === 'int64' || (kind === 'float64' && node.type === 'number'))) return undefined
  // Go can make these of one another, the converter does not.
  const isClose = (isNumber && kind === 'float64') || (node.type === 'string' && kind === 'int64')
  return isClose ? `cannot convert ${kind} to ${node.goType}` : `unrecognized type: ${plainKind(node)}`
}

function containerProblem(node: SchemaNode, value: unknown): string | undefined {
  if (node.type === 'object') {
    if (!isObject(value)) return `cannot restore struct from: ${goKind(value)}`
    return firstProblem(Object.keys(value).map(key => [node.fields.get(key), value[key]]))
  }
  if (node.type === 'map') {
    if (!isObject(value)) return `cannot restore map from ${goKind(value)}`
    return firstProblem(Object.values(value).map(inner => [node.element, inner]))
  }
  if (!Array.isArray(value)) return `cannot restore slice from ${goKind(value)}`
  return firstProblem(value.map(inner => [node.element, inner]))
}

function firstProblem(values: readonly (readonly [SchemaNode | undefined, unknown])[]): string | undefined {
  for (const [node, value] of values) {
    const problem = node && restoreProblem(node, value)
    if (problem !== undefined) return problem
  }
  return undefined
}

/**
 * The first reason why a value cannot be one of its type; undefined for a good one, and for texts in a form of their
 * own (times, quantities), which the decoder tells of.
 */
export function restoreProblem(node: SchemaNode, value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined
  switch (node.type) {
    case 'object':
    case 'map':
    case 'array':
      return containerProblem(node, value)
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return scalarProblem(node, value)
    case 'bytes':
      if (typeof value === 'string' || Array.isArray(value)) return undefined
      return `cannot restore slice from ${goKind(value)}`
    default:
      return undefined
  }
}
