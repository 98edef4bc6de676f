/** A gateway on a port of loopback, with routes and backends that a test gives. */
import type { Service } from '../../api/kinds/core/service.ts'
import { realClock } from '../../lib/clock.ts'
import { listenOn } from '../../lib/listen.ts'
import { silent } from '../../lib/log.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import { followTargets } from '../backends/follow.ts'
import type { Address, ServiceSource } from '../backends/source.ts'
import { openDataPlane } from '../data-plane.ts'
import { type GatewayMetrics, gatewayMetrics } from '../metrics.ts'
import type { Route } from '../routing/route.ts'
import { keyOfRoute } from '../routing/table.ts'

export interface TestServices extends ServiceSource {
  /** Sets where port 80 of a service in `default` leads. */
  set(name: string, endpoints: readonly Address[], spec?: Partial<NonNullable<Service['spec']>>): void
}

/** Services that a test sets. */
export function testServices(): TestServices {
  const services = new Map<string, { service: Service; endpoints: readonly Address[] }>()
  const followers = new Set<(key: string) => void>()
  return {
    set(name, endpoints, spec) {
      const service = {
        metadata: { namespace: 'default', name },
        spec: { ports: [{ name: 'http', port: 80 }], ...spec },
      }
      services.set(`default/${name}`, { service, endpoints })
      for (const follower of followers) follower(`default/${name}`)
    },
    service: key => services.get(key)?.service,
    endpoints: ({ metadata }) => services.get(`default/${metadata?.name}`)?.endpoints ?? [],
    follow(changed) {
      followers.add(changed)
      return () => followers.delete(changed)
    },
  }
}

/** A route of all paths of a host to port 80 of a service of that name. */
export const routeTo = (service: string, more: Partial<Route> = {}): Route => ({
  host: '',
  match: 'Prefix',
  path: '/',
  target: { namespace: 'default', service, port: 80 },
  redirect: false,
  owner: { namespace: 'default', name: service },
  ...more,
})

export interface TestGateway {
  readonly port: number
  readonly securePort: number
  readonly services: TestServices
  readonly metrics: GatewayMetrics
  close(graceMs?: number): Promise<void>
}

/** Starts one, on free ports; `certificates` by host, '' being all others. */
export async function startGateway(
  routes: readonly Route[],
  certificates: Readonly<Record<string, KeyPair>> = {},
  trustedProxies: readonly string[] = [],
): Promise<TestGateway> {
  const services = testServices()
  const metrics = gatewayMetrics()
  const dataPlane = openDataPlane({
    ...{ metrics, clock: realClock, logger: silent },
    listen: (port, take) => listenOn(['127.0.0.1'], port, take),
    ports: { http: { port: 0 }, https: { port: 0 } },
    trustedProxies,
  })
  const targets = followTargets(services, endpoints => dataPlane.apply({ endpoints }))
  dataPlane.apply({
    endpoints: targets.use(routes.flatMap(({ target }) => target ?? [])),
    routes: routes.map(route => [keyOfRoute(route), route]),
    certificates: Object.entries(certificates),
  })
  await Promise.all([dataPlane.plain.open(), dataPlane.secure.open()])
  return {
    port: dataPlane.plain.number(),
    securePort: dataPlane.secure.number(),
    services,
    metrics,
    async close(graceMs = 0) {
      targets.close()
      await dataPlane.close(graceMs)
    },
  }
}
