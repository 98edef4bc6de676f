/** Where a webhook is reached (k8s.io/apiserver `pkg/util/webhook`). */
import type { ServiceReference } from '../../generated/types/apiextensions-v1.ts'
import { invalid, required } from '../../machinery/field-error.ts'
import { isDns1123Subdomain } from '../../machinery/names.ts'
import type { Errors } from '../rules.ts'

const FORM = '; desired format: https://host[/path]'

/** Why Go does not take a text for a URL; '' where it does. */
function unparsed(text: string): string {
  if ([...text].some(letter => letter < ' ' || letter === '\x7f')) return 'net/url: invalid control character in URL'
  if (text.startsWith(':')) return 'missing protocol scheme'
  const host = /^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?\/\/([^/?#]*)/.exec(text)?.[1] ?? ''
  if (host.includes(' ')) return 'invalid character " " in host name'
  const schemeless = !/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text)
  return schemeless && /^[^/?#]*:/.test(text) ? 'first path segment in URL cannot contain colon' : ''
}

/** Appends what is wrong with the URL of a webhook. */
export function checkWebhookUrl(text: string, path: string, errors: Errors): void {
  const match = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(text)
  const problem = unparsed(text)
  if (!match || problem) {
    errors.push(required(path, `url must be a valid URL: parse ${JSON.stringify(text)}: ${problem}${FORM}`))
    return
  }
  const [, scheme = '', authority = '', , query = '', fragment = ''] = match
  const at = authority.lastIndexOf('@')
  const host = authority.slice(at + 1)
  if (scheme.toLowerCase() !== 'https') {
    errors.push(invalid(path, scheme.toLowerCase(), `'https' is the only allowed URL scheme${FORM}`))
  }
  if (!host) errors.push(invalid(path, '', `host must be specified${FORM}`))
  if (at >= 0) {
    errors.push(invalid(path, authority.slice(0, at), 'user information is not permitted in the URL'))
  }
  if (fragment) errors.push(invalid(path, fragment, 'fragments are not permitted in the URL'))
  if (query) errors.push(invalid(path, query, 'query parameters are not permitted in the URL'))
}

/** Appends what is wrong with a reference to a service. An absent name is told of as the namespace, as upstream does. */
export function checkWebhookService(service: ServiceReference, path: string, errors: Errors): void {
  const { name, namespace, port = 443, path: url } = service
  if (!namespace) errors.push(required(`${path}.name`))
  if (!name) errors.push(required(`${path}.namespace`))
  if (port < 1 || port > 65535) {
    errors.push(invalid(`${path}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'))
  }
  if (url === undefined || url === '' || url === '/') return
  const at = `${path}.path`
  if (url === '//') {
    errors.push(invalid(at, url, 'segment[0] may not be empty'))
    return
  }
  if (!url.startsWith('/')) errors.push(invalid(at, url, "must start with a '/'"))
  const segments = url.slice(1).replace(/\/$/, '').split('/')
  segments.forEach((segment, i) => {
    if (segment === '') errors.push(invalid(at, url, `segment[${i}] may not be empty`))
    else for (const problem of isDns1123Subdomain(segment)) errors.push(invalid(at, url, `segment[${i}]: ${problem}`))
  })
}
