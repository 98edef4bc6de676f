/**
 * Health check node ports (KEP-27): a load balancer of its own asks each node there whether it has endpoints of a
 * service whose traffic must stay on the node. Answers 200 with some and 503 without, and how many in a header and a
 * body, as kube-proxy does.
 */
import type { RequestListener, Server } from 'node:http'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Logger } from '../../lib/log.ts'
import type { Catalog } from '../catalog.ts'
import type { Place } from './endpoints.ts'

export interface HealthCheckDeps {
  readonly catalog: Catalog
  place(): Place
  /** Addresses of this node on which the ports answer. */
  readonly hosts: readonly string[]
  readonly logger: Logger
}

export interface HealthChecks {
  /** Resolves when the ports of services that are known answer. */
  idle(): Promise<void>
  close(): void
}

/** The port, of services that have one. */
function portOf(service: Service | undefined): number | undefined {
  const { type, externalTrafficPolicy, healthCheckNodePort } = service?.spec ?? {}
  return type === 'LoadBalancer' && externalTrafficPolicy === 'Local' ? healthCheckNodePort : undefined
}

interface Held {
  readonly port: number
  readonly servers: readonly Server[]
}

/** Starts following services; ends with the signal. */
export function startHealthChecks(deps: HealthCheckDeps, signal: AbortSignal): HealthChecks {
  const { catalog, logger } = deps
  const held = new Map<string, Held>()
  let last: Promise<void> = Promise.resolve()

  function countOf(key: string): number {
    const { nodeName } = deps.place()
    const family = catalog.service(key)?.spec?.ipFamilies?.[0]
    const ready = catalog
      .slices(key)
      // Of a pod with two addresses there is an endpoint in each family.
      .filter(({ addressType }) => family === undefined || addressType === family)
      .flatMap(({ endpoints = [] }) => endpoints)
      .filter(each => each.nodeName === nodeName && each.conditions?.ready !== false)
    return new Set(ready.map(({ addresses }) => addresses[0])).size
  }

  const answerFor =
    (key: string): RequestListener =>
    (_, response) => {
      const [namespace, name] = key.split('/')
      const localEndpoints = countOf(key)
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        'Content-Type': 'application/json',
        'X-Content-Type-Options': 'nosniff',
        'X-Load-Balancing-Endpoint-Weight': String(localEndpoints),
      })
      const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: true }
      response.end(JSON.stringify(body, undefined, '\t'))
    }

  async function open(key: string, port: number): Promise<Held> {
    const { createServer } = await import('node:http')
    const servers: Server[] = []
    for (const host of deps.hosts) {
      const server = createServer(answerFor(key))
      const failed = await new Promise<Error | undefined>(resolve => {
        server.once('error', resolve)
        server.listen({ host, port }, () => resolve(undefined))
      })
      server.unref()
      if (failed) logger.warn({ service: key, host, port, error: failed.message }, 'network: health check port')
      else servers.push(server)
    }
    return { port, servers }
  }

  function close(key: string) {
    for (const server of held.get(key)?.servers ?? []) {
      server.close()
      server.closeAllConnections()
    }
    held.delete(key)
  }

  async function settle(key: string): Promise<void> {
    const wanted = signal.aborted ? undefined : portOf(catalog.service(key))
    if (held.get(key)?.port === wanted) return
    close(key)
    if (wanted !== undefined) held.set(key, await open(key, wanted))
  }

  catalog.follow(key => {
    if (held.get(key)?.port === portOf(catalog.service(key))) return
    last = last.then(() => settle(key))
  })
  return {
    idle: () => last,
    close() {
      for (const key of [...held.keys()]) close(key)
    },
  }
}
