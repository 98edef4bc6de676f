/** Paths of requests and routes in one form, in which they can be compared. Pure. */

const ESCAPED = /%([0-9a-f]{2})/gi
const UNRESERVED = /[a-z0-9._~-]/i

/** Escapes of characters that need none are undone, others written in capitals (RFC 3986, 6.2.2). */
const unescaped = (path: string) =>
  path.replace(ESCAPED, (escaped, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return UNRESERVED.test(character) ? character : escaped.toUpperCase()
  })

/** `.` or `..` between what any server takes for a separator. */
const DOT_SEGMENT = /(?:\/|\\|%2F|%5C)\.{1,2}(?:\/|\\|%2F|%5C|;|$)/

/**
 * The path, without its query, in the form in which it is compared. undefined for one that does not begin with `/`, and
 * for one with `.` or `..` as an element: a backend might take it for another path than the one that was looked up.
 * Clients resolve those before they send them.
 */
export function normalPath(path: string): string | undefined {
  if (!path.startsWith('/')) return undefined
  const normal = path.includes('%') ? unescaped(path) : path
  return DOT_SEGMENT.test(normal) ? undefined : normal
}

/** The path of a request's target: what stands before `?`. */
export function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}

/** The elements of a path that routes by prefix are kept under: without a slash at the end. */
export const prefixOf = (path: string): string => path.replace(/\/+$/, '')
