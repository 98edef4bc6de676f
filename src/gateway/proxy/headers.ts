/** What headers become on their way: those of one connection stay on it (RFC 9110, 7.6.1), those of a proxy are ours. */
import { HOP_BY_HOP, namesOfConnection } from '../../lib/hop-by-hop.ts'
import type { Inbound } from './inbound.ts'

/** `expect` is answered by the gateway itself. */
const OF_CONNECTION = new Set([...HOP_BY_HOP, 'http2-settings', 'expect'])

/** What clients say of themselves here is not believed. */
const OF_PROXIES = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
])

/** They say where a request begins and ends: no client has them taken away. */
const FRAMING = new Set(['content-length', 'host'])

/** Names that the `Connection` headers name. */
function named(headers: readonly string[]): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]!.toLowerCase() !== 'connection') continue
    names ??= new Set()
    for (const name of namesOfConnection(headers[at + 1]!)) if (!FRAMING.has(name)) names.add(name)
  }
  return names
}

/** The headers that are not of one connection, in the same form: names and values by turns. */
export function endToEnd(headers: readonly string[]): string[] {
  const kept: string[] = []
  const more = named(headers)
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!.toLowerCase()
    if (!OF_CONNECTION.has(name) && !more?.has(name)) kept.push(headers[at]!, headers[at + 1]!)
  }
  return kept
}

/** Programs that read headers as variables take `X_Real_Ip` for `X-Real-Ip`. */
const isOfProxies = (name: string) => OF_PROXIES.has(name.toLowerCase().replaceAll('_', '-'))

/** What the backend gets. */
export function toBackend({ headers, authority, client, secure, body }: Inbound): string[] {
  const kept = ['Host', authority]
  const passed = endToEnd(headers)
  for (let at = 0; at < passed.length; at += 2) {
    const name = passed[at]!
    if (!isOfProxies(name) && name.toLowerCase() !== 'host') kept.push(name, passed[at + 1]!)
  }
  const port = /:(\d+)$/.exec(authority)?.[1] ?? (secure ? '443' : '80')
  kept.push('X-Forwarded-For', client, 'X-Real-Ip', client, 'X-Forwarded-Host', authority)
  kept.push('X-Forwarded-Port', port, 'X-Forwarded-Proto', secure ? 'https' : 'http')
  if (body === 'unsized') kept.push('Transfer-Encoding', 'chunked')
  return kept
}
