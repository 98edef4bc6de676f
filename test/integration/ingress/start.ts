/** A control plane with gateways, which have no more rights than in a real cluster. */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { Event } from '../../../src/api/kinds/core/event.ts'
import type { Secret } from '../../../src/api/kinds/core/secret.ts'
import { Service } from '../../../src/api/kinds/core/service.ts'
import { EndpointSlice } from '../../../src/api/kinds/discovery/endpoint-slice.ts'
import type { Ingress } from '../../../src/api/kinds/networking/ingress.ts'
import type { UserInfo } from '../../../src/apiserver/authentication/authenticator.ts'
import { createClient } from '../../../src/client/client.ts'
import { createInformers } from '../../../src/client/informers.ts'
import { NODE_TRAFFIC, nodeTrafficUser } from '../../../src/client/node-traffic.ts'
import { type Cluster, startCluster } from '../../../src/cmd/testing.ts'
import { type Component, runAll } from '../../../src/control/lifetime.ts'
import { controllerUser } from '../../../src/controllers/accounts.ts'
import type { ServiceSource } from '../../../src/gateway/backends/source.ts'
import { type DataPlaneEvents, openDataPlane } from '../../../src/gateway/data-plane.ts'
import { type GatewayOptions, ingressGateway, nodeGateway } from '../../../src/gateway/gateway.ts'
import { following, leading } from '../../../src/gateway/ingress/role.ts'
import { gatewayMetrics } from '../../../src/gateway/metrics.ts'
import type { Listen } from '../../../src/gateway/server/ports.ts'
import { realClock } from '../../../src/lib/clock.ts'
import { type Listening, listenOn } from '../../../src/lib/listen.ts'
import { silent } from '../../../src/lib/log.ts'
import { createAuthority, issueCertificate } from '../../../src/lib/pki/certificate.ts'
import { createCatalog } from '../../../src/network/catalog.ts'
import { serviceDirectory } from '../../../src/network/service-directory.ts'

/** What is to be ended after the tests, the last first. */
export const ends: (() => unknown)[] = []

interface Ports {
  /** Who listens now, by the port that was wished. */
  readonly open: Map<number, Listening>
  readonly refused: Map<number, string>
}

/** No address of loopback may stand in a slice: whatever stands there is here. */
const onThisMachine = (services: ServiceSource): ServiceSource => ({
  ...services,
  endpoints: (service, port) => services.endpoints(service, port).map(each => ({ ...each, host: '127.0.0.1' })),
})

const DEPS = { clock: realClock, logger: silent }

/** A gateway of a cluster, and where it listens. */
export interface StartedGateway {
  readonly ports: Ports
  /** What it hears from what carries its requests. */
  readonly plane: { events?: DataPlaneEvents }
  /** Asks it, at its port of HTTP. */
  get(path: string, host: string): Promise<{ status: number; body: string }>
  stop(): Promise<void>
}

/** Begins one, as `user` has rights to; `make` makes it of what all have in common. */
async function startGatewayAs(
  cluster: Cluster,
  user: UserInfo,
  make: (options: Omit<GatewayOptions, 'role' | 'whenUsed'>) => Component,
): Promise<StartedGateway> {
  const scope = new AbortController()
  const { signal } = scope
  const all = createInformers(cluster.transport, DEPS, signal)
  const catalog = createCatalog({ services: all.of(Service), endpointSlices: all.of(EndpointSlice) }, signal)
  await catalog.synced()
  const transport = cluster.server.transport(user)
  const ports: Ports = { open: new Map(), refused: new Map() }
  const listen: Listen = async (port, take) => {
    const code = ports.refused.get(port)
    if (code) throw Object.assign(new Error(code), { code })
    const listening = await listenOn(['127.0.0.1'], 0, take)
    ports.open.set(port, listening)
    return {
      port,
      close() {
        ports.open.delete(port)
        listening.close()
      },
    }
  }
  const plane: StartedGateway['plane'] = {}
  const gateway = make({
    client: createClient(transport),
    informers: createInformers(transport, DEPS, signal),
    services: onThisMachine(serviceDirectory(catalog, () => ({}))),
    async openDataPlane(events) {
      plane.events = events
      return openDataPlane({
        ...{ ...DEPS, listen, metrics: gatewayMetrics() },
        trustedProxies: [],
        ports: { http: { port: 80, instead: 8880 }, https: { port: 443, instead: 8443 } },
      })
    },
    ...DEPS,
  })
  const running = runAll([gateway], DEPS, signal)
  const get = (path: string, host: string) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const { port } = ports.open.get(80) ?? ports.open.get(8880) ?? { port: 0 }
      const sent = request({ host: '127.0.0.1', port, path, headers: { Host: host }, agent: false }, response => {
        let body = ''
        response.setEncoding('utf8').on('data', chunk => (body += chunk))
        response.on('end', () => resolve({ status: response.statusCode!, body }))
      })
      sent.on('error', reject)
      sent.end()
    })
  async function stop() {
    scope.abort()
    await running
  }
  return { ports, plane, get, stop }
}

/** A control plane with the gateway that leads. */
export async function start(): Promise<Cluster & Omit<StartedGateway, 'stop'>> {
  const cluster = await startCluster({ nodes: 0 })
  const { whenUsed } = cluster.server.registry
  const gateway = await startGatewayAs(cluster, controllerUser('ingress-controller'), options =>
    ingressGateway({ ...options, role: leading({ ...options, address: '127.0.0.1' }), whenUsed }),
  )
  ends.push(async () => {
    await gateway.stop()
    await cluster.stop()
  })
  await cluster.until(async () => (await cluster.objects('IngressClass').find({ name: 'tutti' })) !== undefined)
  const { ports, plane, get } = gateway
  return Object.assign(cluster, { ports, plane, get })
}

/** The gateway of a node on another machine. */
export async function startOnNode(cluster: Cluster, name: string): Promise<StartedGateway> {
  const node = createClient(
    cluster.server.transport({ name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'] }),
  )
  const traffic = { name: nodeTrafficUser(name), groups: [NODE_TRAFFIC, 'system:authenticated'] }
  const gateway = await startGatewayAs(cluster, traffic, options =>
    nodeGateway({ ...options, role: following(node, name) }),
  )
  ends.push(gateway.stop)
  return gateway
}

/** A service `name` in `default`, with an HTTP server behind it that answers its name. */
export async function serve(cluster: Cluster, name: string) {
  const server = createServer((_, response) => response.end(name))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  await cluster.create<Service>({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { ports: [{ name: 'http', port: 80 }] },
  })
  await cluster.create<EndpointSlice>({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }],
    ports: [{ name: 'http', port, protocol: 'TCP' }],
  })
}

/** A secret with a certificate for hosts, by nobody. */
export async function tlsSecret(name: string, ...hosts: string[]): Promise<Secret> {
  const validity = { now: Date.now(), lifetime: 24 * 3600_000 }
  const authority = await createAuthority({ commonName: 'test', ...validity })
  const pair = await issueCertificate(authority, { usage: 'server', commonName: 'x', hosts, ...validity })
  const data = {
    'tls.crt': Buffer.from(pair.certificate).toString('base64'),
    'tls.key': Buffer.from(pair.key).toString('base64'),
  }
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'kubernetes.io/tls', data }
}

/** The names in the certificate that a gateway shows to who asks for a host. */
export async function shownBy({ ports }: Pick<StartedGateway, 'ports'>, servername: string): Promise<string> {
  const { port } = ports.open.get(443)!
  const socket = tlsConnect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { subjectaltname = '' } = socket.getPeerCertificate()
  socket.destroy()
  return subjectaltname
}

export const ingress = (name: string, spec: Ingress['spec'], annotations = {}): Ingress => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, annotations },
  spec: spec ?? {},
})
export const backend = (name: string, number = 80) => ({ service: { name, port: { number } } })
export const rule = (host: string, service: string, number?: number) => ({
  host,
  http: { paths: [{ path: '/', pathType: 'Prefix' as const, backend: backend(service, number) }] },
})

export const eventsOf = async (cluster: Cluster, name: string) =>
  (await cluster.objects<Event>('Event').list({ namespace: 'default' })).items
    .filter(({ involvedObject }) => involvedObject?.kind === 'Ingress' && involvedObject.name === name)
    .map(({ type, reason, message }) => `${type} ${reason}: ${message}`)
export const statusOf = async (cluster: Cluster, name: string) =>
  (await cluster.objects<Ingress>('Ingress').get({ namespace: 'default', name })).status?.loadBalancer?.ingress
