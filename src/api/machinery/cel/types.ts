/**
 * The types of CEL. Two object types are the same when their names are; everything else is compared by shape.
 *
 * Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#values
 */

/** What a type is in the first place; the rest of a {@link CelType} depends on it. */
export type TypeKind =
  | 'any'
  | 'bool'
  | 'bytes'
  | 'double'
  | 'duration'
  | 'dyn'
  | 'error'
  | 'int'
  | 'list'
  | 'map'
  | 'null'
  | 'object'
  | 'opaque'
  | 'param'
  | 'string'
  | 'timestamp'
  | 'type'
  | 'uint'

/** A type. `fields` is there for objects: the type of a field, or undefined where there is no such field. */
export interface CelType {
  readonly kind: TypeKind
  /** The name at run time, as `type(x)` tells it: `int`, `google.protobuf.Timestamp`, `net.IP`, … */
  readonly name: string
  readonly params: readonly CelType[]
  readonly fields?: (field: string) => CelType | undefined
  /** What the schema says about sizes; only cost estimation reads it. */
  readonly bounds?: SizeBounds
}

/** The largest size that a schema allows: elements, entries, or characters. */
export interface SizeBounds {
  readonly max: number
}

const simple = (kind: TypeKind, name: string): CelType => ({ kind, name, params: [] })

export const BOOL = simple('bool', 'bool')
export const BYTES = simple('bytes', 'bytes')
export const DOUBLE = simple('double', 'double')
export const DURATION = simple('duration', 'google.protobuf.Duration')
export const DYN = simple('dyn', 'dyn')
export const ERROR = simple('error', 'error')
export const INT = simple('int', 'int')
export const NULL = simple('null', 'null_type')
export const STRING = simple('string', 'string')
export const TIMESTAMP = simple('timestamp', 'google.protobuf.Timestamp')
export const TYPE = simple('type', 'type')
export const UINT = simple('uint', 'uint')

/** A list of one element type. */
export const listOf = (element: CelType): CelType => ({ kind: 'list', name: 'list', params: [element] })

/** A map of one key and one value type. */
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: 'map', name: 'map', params: [key, value] })

/** `type(x)` where x has the given type. */
export const typeOfType = (type: CelType): CelType => ({ kind: 'type', name: 'type', params: [type] })

/** A type variable of a generic function. */
export const typeParam = (name: string): CelType => ({ kind: 'param', name, params: [] })

/** A type of which CEL knows only the name: `net.IP`, `optional_type`, … */
export const opaque = (name: string, ...params: CelType[]): CelType => ({ kind: 'opaque', name, params })

/** `optional_type(x)`. */
export const optionalOf = (type: CelType): CelType => opaque('optional_type', type)

/** An object with declared fields. */
export const objectType = (name: string, fields: (field: string) => CelType | undefined): CelType => ({
  kind: 'object',
  name,
  params: [],
  fields,
})

/** An object whose fields nobody may see: a value of a function library. */
export const sealedType = (name: string): CelType => ({ kind: 'object', name, params: [] })

const SHOWN: Partial<Record<TypeKind, string>> = {
  any: 'any',
  duration: 'duration',
  error: '!error!',
  null: 'null',
  timestamp: 'timestamp',
}

/** The type as compile errors write it: `list(string)`, `map(string, dyn)`, `timestamp`. */
export function formatType(type: CelType): string {
  const shown = SHOWN[type.kind]
  if (shown !== undefined) return shown
  if (type.params.length === 0) return type.name
  return `${type.name}(${type.params.map(formatType).join(', ')})`
}

/** Whether both are the same type, with the same parameters. */
export function sameType(left: CelType, right: CelType): boolean {
  if (left === right) return true
  if (left.kind !== right.kind || left.name !== right.name || left.params.length !== right.params.length) return false
  return left.params.every((param, index) => sameType(param, right.params[index] as CelType))
}

/** Whether anything may stand there. */
export const isDyn = (type: CelType): boolean => type.kind === 'dyn' || type.kind === 'any'

/** The type inside an optional, or undefined when it is none. */
export const optionalElement = (type: CelType): CelType | undefined =>
  type.kind === 'opaque' && type.name === 'optional_type' ? type.params[0] : undefined
