/** Connections to backends as they are made. */
import { lookup } from 'node:dns'
import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { isGlobalUnicast } from '../../lib/global-unicast.ts'
import type { Endpoint } from '../backends/backends.ts'

/** Looks a name up, and refuses what lies on this machine: whoever may name a host may not reach in here. */
const lookupOutside: LookupFunction = (name, options, done) => {
  lookup(name, { ...options, all: true }, (error, addresses) => {
    const outside = (addresses ?? []).filter(({ address }) => isGlobalUnicast(address))
    const failure =
      error ?? (outside.length ? null : Object.assign(new Error(`${name} is this machine`), { code: 'EACCES' }))
    if (options.all) done(failure, outside)
    else done(failure, outside[0]?.address ?? '', outside[0]?.family)
  })
}

/** Begins to connect. Throws where the endpoint may not be reached; what else fails, fails as an event. */
export type Dial = (endpoint: Endpoint) => Socket

export const dial: Dial = ({ host, port, external, protocol }) => {
  // A host that is written as an address is never looked up.
  if (external && isIP(host) && !isGlobalUnicast(host)) throw new Error(`${host} is this machine`)
  const to = { host, port, noDelay: true, ...(external && { lookup: lookupOutside }) }
  if (protocol !== 'https') return connect(to)
  // A pod's certificate names nothing that is known here: what is asked for is secrecy, as from ingress-nginx.
  const servername = external && !isIP(host) ? host : ''
  return connectTls({ ...to, servername, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
}
