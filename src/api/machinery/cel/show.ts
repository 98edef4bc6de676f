import { formatDouble } from './library/number-text.ts'
import { formatDuration, formatTimestamp } from './library/timestamp-text.ts'
import { CelList, CelMap, Duration, type Opaque, Optional, Timestamp, TypeValue, Uint, type Value } from './values.ts'

/** A value for people and for tests: `[1, "a"]`, `{"a": 1}`, `some(1)`. Keys of maps are sorted. */
export function show(value: Value): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return formatDouble(value)
  if (typeof value !== 'object') return String(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return [...value].map(byte => byte.toString(16).padStart(2, '0')).join('')
  if (value instanceof CelList) return `[${[...value].map(show).join(', ')}]`
  if (value instanceof CelMap) return showMap(value)
  if (value instanceof Optional) return value.value === undefined ? 'none' : `some(${show(value.value)})`
  if (value instanceof Timestamp) return formatTimestamp(value.nanos, value.offset)
  if (value instanceof Duration) return formatDuration(value.nanos)
  if (value instanceof TypeValue) return value.type.name
  return (value as Opaque).text() ?? (value as Opaque).typeName
}

function showMap(map: CelMap): string {
  const entries = [...map.keys()].map(key => `${show(key)}: ${show(map.find(key) as Value)}`)
  return `{${entries.sort().join(', ')}}`
}
