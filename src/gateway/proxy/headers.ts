/** What headers become on their way: those of one connection stay on it (RFC 9110, 7.6.1), those of a proxy are ours. */
import { HOP_BY_HOP, namesOfConnection } from '../../lib/hop-by-hop.ts'
import type { Fields } from '../../lib/http1/head.ts'
import type { Inbound } from './inbound.ts'
import type { Origin } from './origin.ts'

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
function named(fields: Fields): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue
    names ??= new Set()
    for (const name of namesOfConnection(fields[at + 1]!)) if (!FRAMING.has(name)) names.add(name)
  }
  return names
}

/** The fields for which `isOther` says no, without those of one connection. */
function kept(fields: Fields, isOther?: (name: string) => boolean): string[] {
  const kept: string[] = []
  const more = named(fields)
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!.toLowerCase()
    if (!OF_CONNECTION.has(name) && !more?.has(name) && !isOther?.(name)) kept.push(fields[at]!, fields[at + 1]!)
  }
  return kept
}

/** The fields that are not of one connection. */
export const endToEnd = (fields: Fields): string[] => kept(fields)

/**
 * Said by the gateway, and not by a client. Programs that read headers as variables take `X_Real_Ip` for `X-Real-Ip`,
 * and `Content_Length` for the length.
 */
function isOurs(name: string): boolean {
  if (name === 'host' || OF_PROXIES.has(name)) return true
  if (!name.includes('_')) return false
  const meant = name.replaceAll('_', '-')
  return OF_PROXIES.has(meant) || OF_CONNECTION.has(meant) || FRAMING.has(meant)
}

/** What the backend gets. */
export function toBackend({ fields, authority }: Inbound, { chain, client, host, port, secure }: Origin): string[] {
  const sent = ['Host', authority, ...kept(fields, isOurs)]
  sent.push('X-Forwarded-For', chain, 'X-Real-Ip', client, 'X-Forwarded-Host', host)
  sent.push('X-Forwarded-Port', port, 'X-Forwarded-Proto', secure ? 'https' : 'http')
  return sent
}
