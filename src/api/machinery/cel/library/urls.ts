import { fn, type Library, method, overload } from '../declarations.ts'
import { fail } from '../errors.ts'
import { BOOL, listOf, mapOf, STRING, sealedType } from '../types.ts'
import { ArrayList, EntryMap, Opaque } from '../values.ts'
import { escapedPath, formatUri, hostname, parseUri, port, queryValues, type Uri } from './uri.ts'

export const URL_TYPE = sealedType('kubernetes.URL')

/** A URL that was read. */
export class UrlValue extends Opaque {
  readonly typeName = 'kubernetes.URL'
  readonly uri: Uri
  constructor(uri: Uri) {
    super()
    this.uri = uri
  }
  equals(other: UrlValue): boolean {
    return formatUri(other.uri) === formatUri(this.uri)
  }
  override text(): string {
    return formatUri(this.uri)
  }
}

function toUrl(text: string): UrlValue {
  const uri = parseUri(text)
  return 'problem' in uri ? fail(`URL parse error during conversion from string: ${uri.problem}`) : new UrlValue(uri)
}

const part = (name: string, id: string, of: (uri: Uri) => string) =>
  fn(
    name,
    method(id, [URL_TYPE], STRING, (url: UrlValue) => of(url.uri)),
  )

const query = (url: UrlValue) =>
  EntryMap.of([...queryValues(url.uri)].map(([key, values]) => [key, new ArrayList(values)] as const))

/** Kubernetes' functions about URLs. */
export const URLS: Library = [
  fn('url', overload('string_to_url', [STRING], URL_TYPE, toUrl)),
  fn(
    'isURL',
    overload('is_url_string', [STRING], BOOL, (text: string) => !('problem' in parseUri(text))),
  ),
  part('getScheme', 'url_get_scheme', uri => uri.scheme),
  part('getHost', 'url_get_host', uri => uri.host),
  part('getHostname', 'url_get_hostname', hostname),
  part('getPort', 'url_get_port', port),
  part('getEscapedPath', 'url_get_escaped_path', escapedPath),
  fn('getQuery', method('url_get_query', [URL_TYPE], mapOf(STRING, listOf(STRING)), query)),
]
