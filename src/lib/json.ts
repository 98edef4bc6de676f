/** A deep copy of a JSON value; several times as fast as structuredClone. */
export function cloneJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(cloneJson) as T
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(value)) result[key] = cloneJson((value as Record<string, unknown>)[key])
  return result as T
}

/** Whether two JSON values are the same, whatever the order of their keys; absent and undefined are one. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((each, at) => equalJson(each, b[at]))
  }
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  for (const key of Object.keys(left)) if (!equalJson(left[key], right[key])) return false
  for (const key of Object.keys(right)) if (!(key in left) && right[key] !== undefined) return false
  return true
}
