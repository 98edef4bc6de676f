/** Connections to backends, kept for the next request. */

import { lookup } from 'node:dns'
import type { Agent, ClientRequest, RequestOptions } from 'node:http'
import { isIP, type LookupFunction } from 'node:net'
import { isGlobalUnicast } from '../../lib/global-unicast.ts'
import { http } from '../../lib/http.ts'
import type { Endpoint } from '../backends/backends.ts'
import { SILENCE_MS } from './sending.ts'

export interface Connections {
  /** Begins a request; what fails, fails as its events. `fresh`: on a connection of its own. */
  request(
    endpoint: Endpoint,
    options: Pick<RequestOptions, 'method' | 'path' | 'headers'>,
    fresh?: boolean,
  ): ClientRequest
  /** No request will go to an endpoint any more: what is idle is closed. */
  drop(endpoint: Endpoint): void
  close(): void
}

/** Idle connections to one endpoint that are kept. */
const IDLE_MOST = 64
/** How long one is kept, in ms, unless the backend says a shorter time. */
const IDLE_MS = 60_000

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

/** Makes it, with no connection. */
export function openConnections(): Connections {
  const agent: Agent = new http.Agent({ keepAlive: true, maxFreeSockets: IDLE_MOST, timeout: IDLE_MS })
  const single: Agent = new http.Agent({ keepAlive: false })
  return {
    request({ host, port, external }, options, fresh = false) {
      // A host that is written as an address is never looked up.
      if (external && isIP(host) && !isGlobalUnicast(host)) throw new Error(`${host} is this machine`)
      return http.request({
        ...options,
        host,
        port,
        agent: fresh ? single : agent,
        timeout: SILENCE_MS,
        ...(external && { lookup: lookupOutside }),
      })
    },
    drop({ host, port }) {
      for (const socket of agent.freeSockets[agent.getName({ host, port })] ?? []) socket.destroy()
    },
    close() {
      agent.destroy()
      single.destroy()
    },
  }
}
