/** JSON merge patch (RFC 7386). */

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Sets a field without touching prototypes. */
function put(target: Json, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else target[key] = value
}

/** `target` with `patch` merged in: null deletes a field, objects merge, everything else replaces. Changes neither. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const result: Json = isObject(target) ? { ...target } : {}
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === null) delete result[key]
    else put(result, key, mergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value))
  }
  return result
}

/** The patch that makes `next` of `old`. Nulls in `next` cannot be expressed and come out as deletions. */
export function createMergePatch(old: unknown, next: unknown): unknown {
  if (!isObject(old) || !isObject(next)) return next
  const patch: Json = {}
  for (const key of Object.keys(old)) if (!Object.hasOwn(next, key)) put(patch, key, null)
  for (const key of Object.keys(next)) {
    if (!Object.hasOwn(old, key)) put(patch, key, next[key])
    else if (isObject(old[key]) && isObject(next[key])) {
      const inner = createMergePatch(old[key], next[key]) as Json
      if (Object.keys(inner).length) put(patch, key, inner)
    } else if (!equalJson(old[key], next[key])) put(patch, key, next[key])
  }
  return patch
}

/** Deep equality of JSON values; the order of fields does not count. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!equalJson(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  for (const key of keys) {
    if (!Object.hasOwn(b, key) || !equalJson((a as Json)[key], (b as Json)[key])) return false
  }
  return true
}
