/** Names of hosts, as requests and routes have them. Pure. */

const AUTHORITY = /^(?:([a-z0-9._-]+)|(\[[0-9a-f:.]+\]))(?::\d{0,5})?$/i

/** The host of a `Host` header or `:authority`: lower case, without port and last dot; undefined for what is none. */
export function hostOf(authority: string | undefined): string | undefined {
  const [, name, address] = AUTHORITY.exec(authority ?? '') ?? []
  const host = (name ?? address)?.toLowerCase()
  return host?.endsWith('.') ? host.slice(0, -1) || undefined : host
}

/** `*.example` for `shop.example`: the wildcard that covers a host. It stands for exactly one label. */
export function wildcardOf(host: string): string | undefined {
  const dot = host.indexOf('.')
  return dot > 0 ? `*${host.slice(dot)}` : undefined
}

/** What is kept for a host: under its own name, else under the wildcard. */
export function byHost<T>(kept: ReadonlyMap<string, T>, host: string): T | undefined {
  const own = kept.get(host)
  if (own !== undefined) return own
  const wildcard = wildcardOf(host)
  return wildcard === undefined ? undefined : kept.get(wildcard)
}
