/** What a request's headers must be (RFC 9113, section 8), and as the object that Node would make of them. */

export type HeaderObject = Record<string, string | string[] | undefined>

/** A header that may stand once; of several the first counts. */
const SINGLE = new Set([
  'age',
  'authorization',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'etag',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'user-agent',
])

const PSEUDO = new Set([':method', ':path', ':scheme', ':authority'])
/** Of the connection, which HTTP/2 has other means for. */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const BAD_VALUE = /[\x00-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$/
/** Names that were found right. */
const known = new Set<string>()
const KNOWN = 1000

function isName(name: string): boolean {
  if (known.has(name)) return true
  if (!NAME.test(name) || OF_CONNECTION.has(name)) return false
  if (known.size < KNOWN) known.add(name)
  return true
}

/** The headers of a request from names and values in turn; undefined where they break a rule. */
export function requestHeaders(list: readonly string[]): HeaderObject | undefined {
  const headers: HeaderObject = {}
  let isPseudo = true
  for (let at = 0; at < list.length; at += 2) {
    const name = list[at]!
    const value = list[at + 1]!
    if (BAD_VALUE.test(value)) return undefined
    if (name.charCodeAt(0) === 0x3a) {
      if (!isPseudo || !PSEUDO.has(name) || headers[name] !== undefined) return undefined
      headers[name] = value
      continue
    }
    isPseudo = false
    if (!isName(name) || (name === 'te' && value !== 'trailers')) return undefined
    if (!add(headers, name, value)) return undefined
  }
  const { ':method': method, ':path': path, ':scheme': scheme } = headers
  if (!method || !scheme || typeof path !== 'string') return undefined
  return path.startsWith('/') || (path === '*' && method === 'OPTIONS') ? headers : undefined
}

/** False where the header contradicts one that is there. */
function add(headers: HeaderObject, name: string, value: string): boolean {
  if (name === '__proto__') return true
  const there = headers[name]
  if (there === undefined) headers[name] = name === 'set-cookie' ? [value] : value
  else if (name === 'content-length') return there === value
  else if (typeof there !== 'string') there.push(value)
  else if (!SINGLE.has(name)) headers[name] = `${there}${name === 'cookie' ? '; ' : ', '}${value}`
  return true
}
