/** Pods' links, and the routes to them, that another program took away. */
import { existsSync } from 'node:fs'
import { attempt } from '../tools/command.ts'

export interface RestorablePlace {
  readonly ips: readonly string[]
  /** Of the link. */
  readonly name: string
}

export interface Restorers<P extends RestorablePlace> {
  /** Those whose namespaces stand and are to stay. */
  places(): readonly P[]
  /** Makes the link between the namespace and the machine, and leads to it. */
  link(place: P): Promise<void>
  /** Leads to a link that stands. */
  lead(place: P): Promise<void>
}

const hasLink = ({ name }: RestorablePlace) => existsSync(`/proc/sys/net/ipv4/conf/${name}`)

/** Puts links back; resolves with their names. */
export async function restoreLinks<P extends RestorablePlace>({ places, link }: Restorers<P>): Promise<string[]> {
  const missing = places().filter(place => !hasLink(place))
  for (const place of missing) await link(place)
  return missing.map(({ name }) => `link ${name}`)
}

/** Puts routes back; resolves with their names. */
export async function restoreRoutes<P extends RestorablePlace>({ places, lead }: Restorers<P>): Promise<string[]> {
  const shown = await Promise.all(['-4', '-6'].map(family => attempt('ip', [family, '-o', 'route', 'show'])))
  const there = new Set(shown.flatMap(({ stdout }) => stdout.split('\n').map(line => line.split(' ')[0]!)))
  const missing = places().filter(place => hasLink(place) && place.ips.some(ip => !there.has(ip)))
  for (const place of missing) await lead(place)
  return missing.flatMap(({ ips }) => ips.filter(ip => !there.has(ip)).map(ip => `route ${ip}`))
}
