/** The parts of a URL, as Go's `net/url` names them. */
export interface Uri {
  readonly scheme: string
  /** What stands after the scheme when that is no path: `mailto:x@y`. */
  readonly opaque: string
  readonly user: string | undefined
  readonly host: string
  readonly path: string
  readonly rawPath: string
  readonly query: string
  readonly forceQuery: boolean
}

/** Ends parsing with the reason. */
class Bad extends Error {}

/**
 * Reads a URL as it stands in a request: absolute, or a path from the root. Fragments are not looked for.
 *
 * @returns the parts, or what is wrong in the words of Go: `parse "x": invalid URI for request`
 */
export function parseUri(text: string): Uri | { readonly problem: string } {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof Bad)) throw error
    return { problem: `parse ${JSON.stringify(text)}: ${error.message}` }
  }
}

function parse(text: string): Uri {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
  if (/[\x00-\x1f\x7f]/.test(text)) throw new Bad('net/url: invalid control character in URL')
  if (text === '') throw new Bad('empty url')
  const none = { scheme: '', opaque: '', user: undefined, host: '', rawPath: '', query: '', forceQuery: false }
  if (text === '*') return { ...none, path: '*' }
  const [scheme, afterScheme] = splitScheme(text)
  const forceQuery = afterScheme.endsWith('?') && afterScheme.indexOf('?') === afterScheme.length - 1
  const mark = afterScheme.indexOf('?')
  const rest = mark < 0 ? afterScheme : afterScheme.slice(0, mark)
  const base = { ...none, scheme, forceQuery, query: mark < 0 ? '' : afterScheme.slice(mark + 1) }
  if (!rest.startsWith('/')) {
    if (scheme === '') throw new Bad('invalid URI for request')
    return { ...base, opaque: rest, path: '' }
  }
  if (scheme === '' || !rest.startsWith('//')) return { ...base, ...pathParts(rest) }
  const slash = rest.indexOf('/', 2)
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash)
  return { ...base, ...parseAuthority(authority), ...pathParts(slash < 0 ? '' : rest.slice(slash)) }
}

function splitScheme(text: string): [string, string] {
  if (text.startsWith(':')) throw new Bad('missing protocol scheme')
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)
  return match ? [(match[1] as string).toLowerCase(), text.slice(match[0].length)] : ['', text]
}

function parseAuthority(authority: string): { user: string | undefined; host: string } {
  const at = authority.lastIndexOf('@')
  const host = parseHost(at < 0 ? authority : authority.slice(at + 1))
  if (at < 0) return { user: undefined, host }
  const user = authority.slice(0, at)
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) throw new Bad('net/url: invalid userinfo')
  return { user, host }
}

function parseHost(host: string): string {
  if (host.startsWith('[')) {
    const end = host.lastIndexOf(']')
    if (end < 0) throw new Bad("missing ']' in host")
    checkPort(host.slice(end + 1))
    return host
  }
  const colon = host.lastIndexOf(':')
  if (colon >= 0) checkPort(host.slice(colon))
  const bad = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"%\u0080-\u{10ffff}]/u.exec(host)
  if (bad) throw new Bad(`invalid character ${JSON.stringify(bad[0])} in host name`)
  const escaped = /%(?![89a-fA-F][0-9a-fA-F])../.exec(`${host}  `)
  if (escaped && host.includes('%')) throw new Bad(`invalid URL escape ${JSON.stringify(escaped[0].trim())}`)
  return unescapeUri(host, false) as string
}

function checkPort(port: string): void {
  if (port !== '' && !/^:\d*$/.test(port)) throw new Bad(`invalid port ${JSON.stringify(port)} after host`)
}

function pathParts(raw: string): { path: string; rawPath: string } {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(raw)
  if (bad) throw new Bad(`invalid URL escape ${JSON.stringify(bad[0])}`)
  const path = unescapeUri(raw, false) as string
  return { path, rawPath: escapePath(path) === raw ? '' : raw }
}

/** Decodes `%41`, and `+` in queries; undefined when an escape is broken. */
function unescapeUri(text: string, query: boolean): string | undefined {
  const spaced = query ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  if (/%(?![0-9a-fA-F]{2})/.test(spaced)) return undefined
  const bytes: number[] = []
  const encoded = new TextEncoder().encode(spaced)
  for (let at = 0; at < encoded.length; at++) {
    if (encoded[at] !== 0x25) bytes.push(encoded[at] as number)
    else {
      bytes.push(Number.parseInt(String.fromCharCode(encoded[at + 1] as number, encoded[at + 2] as number), 16))
      at += 2
    }
  }
  return new TextDecoder().decode(new Uint8Array(bytes))
}

const escapePath = (path: string): string =>
  [...new TextEncoder().encode(path)]
    .map(byte => {
      const character = String.fromCharCode(byte)
      if (/[A-Za-z0-9\-_.~$&+/:=@]/.test(character)) return character
      return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')

/** The path as it is sent. */
export function escapedPath({ path, rawPath }: Uri): string {
  if (rawPath !== '' && /^[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]/%]*$/.test(rawPath)) return rawPath
  return path === '*' ? '*' : escapePath(path)
}

/** The host without port and brackets. */
export function hostname({ host }: Uri): string {
  const bare = host.replace(/:\d*$/, '')
  return host.startsWith('[') ? host.slice(1, host.indexOf(']')) : bare
}

/** The port as text; empty when there is none. */
export const port = ({ host }: Uri): string => /^(?:\[.*\]|[^:]*|.*[^\d:].*):(\d*)$/.exec(host)?.[1] ?? ''

/** The values of every key of the query; what cannot be read is left out. */
export function queryValues({ query }: Uri): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';')) continue
    const equals = pair.indexOf('=')
    const key = unescapeUri(equals < 0 ? pair : pair.slice(0, equals), true)
    const value = unescapeUri(equals < 0 ? '' : pair.slice(equals + 1), true)
    if (key === undefined || value === undefined) continue
    values.set(key, [...(values.get(key) ?? []), value])
  }
  return values
}

/** The URL as text. */
export function formatUri(uri: Uri): string {
  const user = uri.user === undefined ? '' : `${uri.user}@`
  const authority = uri.host !== '' || uri.user !== undefined ? `//${user}${uri.host}` : ''
  const scheme = uri.scheme === '' ? '' : `${uri.scheme}:`
  const body = uri.opaque === '' ? authority + escapedPath(uri) : uri.opaque
  return scheme + body + (uri.query !== '' || uri.forceQuery ? `?${uri.query}` : '')
}
