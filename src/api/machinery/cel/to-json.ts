import { fail } from './errors.ts'
import { formatDuration, formatTimestamp } from './library/timestamp-text.ts'
import { StructMap } from './runtime/plan.ts'
import { CelList, CelMap, Duration, Opaque, Optional, Timestamp, Uint, type Value } from './values.ts'

/**
 * A value as plain JSON of its own. Absent optionals are left out; what has no JSON fails.
 *
 * @throws CelError
 */
export function toJson(value: Value): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint) return Number(value.value)
  if (value instanceof CelList) return [...value].map(toJson)
  if (value instanceof CelMap) return mapToJson(value)
  if (value instanceof Timestamp) return formatTimestamp(value.nanos, value.offset)
  if (value instanceof Duration) return formatDuration(value.nanos)
  if (value instanceof Uint8Array) return btoa(String.fromCharCode(...value))
  if (value instanceof Optional) return value.value === undefined ? undefined : toJson(value.value)
  if (value instanceof Opaque) return value.text() ?? fail(`type conversion error from '${value.typeName}' to JSON`)
  return fail('a type has no JSON')
}

function mapToJson(map: CelMap): Record<string, unknown> {
  const json: Record<string, unknown> = {}
  for (const key of map.keys()) {
    const value = toJson(map.find(key) as Value)
    if (value !== undefined) Object.defineProperty(json, String(key instanceof Uint ? key.value : key), PLAIN(value))
  }
  return json
}

/** `__proto__` is a key like others. */
const PLAIN = (value: unknown): PropertyDescriptor => ({ value, enumerable: true, configurable: true, writable: true })

/**
 * Whether the objects inside an `Object{…}` are named after the fields they stand in: `Object.spec` in `spec`.
 *
 * @returns what is wrong, or undefined
 */
export function misnamedObject(value: Value, path = ''): string | undefined {
  if (value instanceof CelList) {
    for (const item of value) {
      const problem = misnamedObject(item, path)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  if (!(value instanceof StructMap)) return undefined
  if (path !== '' && value.type.name !== path)
    return `unexpected type name ${JSON.stringify(value.type.name)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`
  for (const key of value.keys()) {
    const problem = misnamedObject(value.find(key) as Value, `${value.type.name}.${String(key)}`)
    if (problem !== undefined) return problem
  }
  return undefined
}
