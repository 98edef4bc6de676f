/** A gateway on a port of loopback, with routes and backends that a test gives. */
import { type AddressInfo, createServer as createListener, type Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { Service } from '../../api/kinds/core/service.ts'
import { realClock } from '../../lib/clock.ts'
import { silent } from '../../lib/log.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import { createBackends } from '../backends/backends.ts'
import type { Address, ServiceSource } from '../backends/source.ts'
import { type GatewayMetrics, gatewayMetrics } from '../metrics.ts'
import type { Route } from '../routing/route.ts'
import { createTable } from '../routing/table.ts'
import { createServer, type GatewayServer } from '../server/server.ts'
import { openConnections } from './connections.ts'
import { sendHttp1 } from './http1.ts'
import { openHttp2Backends } from './http2.ts'
import { createRouter } from './router.ts'

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
  readonly server: GatewayServer
  close(): Promise<void>
}

/** Starts one. */
export async function startGateway(
  routes: readonly Route[],
  tls: { fallback?: () => Promise<KeyPair>; contextFor?: (host: string) => SecureContext | undefined } = {},
): Promise<TestGateway> {
  const services = testServices()
  const connections = openConnections()
  const http2 = openHttp2Backends(realClock)
  const backends = createBackends(services, endpoint => {
    connections.drop(endpoint)
    http2.drop(endpoint)
  })
  const metrics = gatewayMetrics()
  const table = createTable(routes)
  const router = createRouter({
    backends,
    connections,
    http1: sendHttp1(connections, realClock),
    http2: http2.send,
    metrics,
    clock: realClock,
    table: () => table,
    securePort: () => securePort,
  })
  const none = () => Promise.reject(new Error('this test has no certificate'))
  const server = createServer({
    router,
    clock: realClock,
    logger: silent,
    fallback: none,
    contextFor: () => undefined,
    ...tls,
  })
  const listen = async (take: (socket: Socket) => void) => {
    const listener = createListener({ allowHalfOpen: true, noDelay: true }, take)
    await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
    return listener
  }
  const [plain, secure] = await Promise.all([listen(server.plain), listen(server.secure)])
  const securePort = (secure.address() as AddressInfo).port
  return {
    port: (plain.address() as AddressInfo).port,
    securePort,
    services,
    metrics,
    server,
    async close() {
      plain.close()
      secure.close()
      await server.close(0)
      backends.close()
      connections.close()
      http2.close()
    },
  }
}
