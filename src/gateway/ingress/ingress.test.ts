import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import type { Event } from '../../api/kinds/core/event.ts'
import type { Secret } from '../../api/kinds/core/secret.ts'
import { Service } from '../../api/kinds/core/service.ts'
import { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts'
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import type { IngressClass } from '../../api/kinds/networking/ingress-class.ts'
import { createClient } from '../../client/client.ts'
import { createInformers } from '../../client/informers.ts'
import { type Cluster, startCluster } from '../../cmd/testing.ts'
import { runAll } from '../../control/lifetime.ts'
import { controllerUser } from '../../controllers/accounts.ts'
import { realClock } from '../../lib/clock.ts'
import { type Listening, listenOn } from '../../lib/listen.ts'
import { silent } from '../../lib/log.ts'
import { createAuthority, issueCertificate } from '../../lib/pki/certificate.ts'
import { createCatalog } from '../../network/catalog.ts'
import { serviceDirectory } from '../../network/service-directory.ts'
import type { ServiceSource } from '../backends/source.ts'
import { type DataPlaneEvents, openDataPlane } from '../data-plane.ts'
import { ingressGateway } from '../gateway.ts'
import { gatewayMetrics } from '../metrics.ts'
import type { Listen } from '../server/ports.ts'

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})

interface Ports {
  /** Who listens now, by the port that was wished. */
  readonly open: Map<number, Listening>
  readonly refused: Map<number, string>
}

interface Served extends Cluster {
  /** What the gateway hears from what carries its requests. */
  readonly plane: { events?: DataPlaneEvents }
  readonly ports: Ports
  get(path: string, host: string): Promise<{ status: number; body: string }>
}

/** No address of loopback may stand in a slice: whatever stands there is here. */
const onThisMachine = (services: ServiceSource): ServiceSource => ({
  ...services,
  endpoints: (service, port) => services.endpoints(service, port).map(each => ({ ...each, host: '127.0.0.1' })),
})

/** A control plane with the gateway, which has no more rights than in a real cluster. */
async function start(): Promise<Served> {
  const cluster = await startCluster({ nodes: 0 })
  const scope = new AbortController()
  const { signal } = scope
  const deps = { clock: realClock, logger: silent }
  const informersOf = (transport = cluster.transport) => createInformers(transport, deps, signal)
  const all = informersOf()
  const catalog = createCatalog({ services: all.of(Service), endpointSlices: all.of(EndpointSlice) }, signal)
  await catalog.synced()
  const transport = cluster.server.transport(controllerUser('ingress-controller'))
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
  const plane: Served['plane'] = {}
  const gateway = ingressGateway({
    client: createClient(transport),
    informers: informersOf(transport),
    services: onThisMachine(serviceDirectory(catalog, () => ({}))),
    async openDataPlane(events) {
      plane.events = events
      return openDataPlane({
        ...{ ...deps, listen, metrics: gatewayMetrics() },
        ports: { http: { port: 80, instead: 8880 }, https: { port: 443, instead: 8443 } },
      })
    },
    address: '127.0.0.1',
    whenUsed: cluster.server.registry.whenUsed,
    ...deps,
  })
  const running = runAll([gateway], deps, signal)
  ends.push(async () => {
    scope.abort()
    await running
    await cluster.stop()
  })
  await cluster.until(async () => (await cluster.objects('IngressClass').find({ name: 'tutti' })) !== undefined)
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
  return Object.assign(cluster, { ports, plane, get })
}

/** A service `name` in `default`, with an HTTP server behind it that answers its name. */
async function serve(cluster: Cluster, name: string) {
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

const ingress = (name: string, spec: Ingress['spec'], annotations = {}): Ingress => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, annotations },
  spec: spec ?? {},
})
const backend = (name: string, number = 80) => ({ service: { name, port: { number } } })
const rule = (host: string, service: string, number?: number) => ({
  host,
  http: { paths: [{ path: '/', pathType: 'Prefix' as const, backend: backend(service, number) }] },
})

const eventsOf = async (cluster: Cluster, name: string) =>
  (await cluster.objects<Event>('Event').list({ namespace: 'default' })).items
    .filter(({ involvedObject }) => involvedObject?.kind === 'Ingress' && involvedObject.name === name)
    .map(({ type, reason, message }) => `${type} ${reason}: ${message}`)
const statusOf = async (cluster: Cluster, name: string) =>
  (await cluster.objects<Ingress>('Ingress').get({ namespace: 'default', name })).status?.loadBalancer?.ingress

test('ingressGateway makes a default class, and takes ports from the first Ingress to the last', async () => {
  const cluster = await start()
  const { metadata, spec } = await cluster.objects<IngressClass>('IngressClass').get({ name: 'tutti' })
  assert.equal(spec?.controller, 'tutti.dev/ingress-controller')
  assert.equal(metadata?.annotations?.['ingressclass.kubernetes.io/is-default-class'], 'true')
  assert.equal(cluster.ports.open.size, 0)
  await serve(cluster, 'web')
  const made = await cluster.create(ingress('web', { rules: [rule('web.example', 'web')] }))
  assert.equal(made.spec?.ingressClassName, 'tutti')
  await cluster.until(async () => assert.deepEqual(await statusOf(cluster, 'web'), [{ ip: '127.0.0.1' }]))
  assert.deepEqual([...cluster.ports.open.keys()], [80, 443])
  assert.deepEqual(await cluster.get('/', 'web.example'), { status: 200, body: 'web' })
  assert.equal((await cluster.get('/', 'other.example')).status, 404)
  await cluster.objects('Ingress').delete({ namespace: 'default', name: 'web' })
  await cluster.until(() => cluster.ports.open.size === 0)
})

test('ingressGateway serves the Ingresses of its classes only, and takes back what it said of others', async () => {
  const cluster = await start()
  await serve(cluster, 'web')
  const named = (name: string, controller: string) =>
    cluster.create<IngressClass>({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name },
      spec: { controller },
    })
  await named('other', 'example.com/other')
  await named('second', 'tutti.dev/ingress-controller')
  await cluster.create(ingress('a', { ingressClassName: 'other', rules: [rule('a.example', 'web')] }))
  await cluster.create(ingress('b', { ingressClassName: 'second', rules: [rule('b.example', 'web')] }))
  await cluster.create(ingress('c', { rules: [rule('c.example', 'web')] }, { 'kubernetes.io/ingress.class': 'second' }))
  await cluster.until(async () => assert.ok(await statusOf(cluster, 'c')))
  await cluster.until(async () => assert.ok(await statusOf(cluster, 'b')))
  assert.equal(await statusOf(cluster, 'a'), undefined)
  for (const [host, status] of [
    ['a', 404],
    ['b', 200],
    ['c', 200],
  ] as const)
    assert.equal((await cluster.get('/', `${host}.example`)).status, status, host)
  const patch = { spec: { ingressClassName: 'other' } }
  await cluster.objects('Ingress').patch({ namespace: 'default', name: 'b' }, patch, { type: 'merge' })
  await cluster.until(async () => assert.equal(await statusOf(cluster, 'b'), undefined))
  assert.equal((await cluster.get('/', 'b.example')).status, 404)
})

test('ingressGateway tells an Ingress what is missing, and serves it when it comes', async () => {
  const cluster = await start()
  await cluster.create(
    ingress('web', {
      rules: [rule('web.example', 'web'), rule('port.example', 'web', 81)],
      tls: [{ hosts: ['tls.example'], secretName: 'cert' }],
    }),
  )
  await cluster.until(async () =>
    assert.deepEqual((await eventsOf(cluster, 'web')).toSorted(), [
      'Warning SecretNotFound: secret default/cert of its TLS is not there',
      'Warning ServiceNotFound: service default/web is not there',
    ]),
  )
  assert.equal((await cluster.get('/', 'web.example')).status, 503)
  await serve(cluster, 'web')
  await cluster.until(async () =>
    assert.ok((await eventsOf(cluster, 'web')).includes('Warning PortNotFound: service default/web has no port 81')),
  )
  assert.equal((await cluster.get('/', 'web.example')).status, 200)
  assert.equal((await cluster.get('/', 'port.example')).status, 503)
})

test('ingressGateway takes other ports where the usual ones are for root, and says what it cannot have', async () => {
  const cluster = await start()
  cluster.ports.refused.set(80, 'EACCES').set(443, 'EACCES').set(8443, 'EADDRINUSE')
  await serve(cluster, 'web')
  await cluster.create(ingress('web', { rules: [rule('web.example', 'web')], tls: [{ hosts: ['web.example'] }] }))
  await cluster.until(async () =>
    assert.deepEqual(await statusOf(cluster, 'web'), [
      {
        ip: '127.0.0.1',
        ports: [
          { port: 8880, protocol: 'TCP' },
          { port: 443, protocol: 'TCP', error: 'PortNotAvailable' },
        ],
      },
    ]),
  )
  assert.deepEqual(await eventsOf(cluster, 'web'), [
    'Warning PortNotAvailable: port 443 of this machine: another program has it. Take another one: tutti down, then tutti up --https-port 8443',
  ])
  // There is no TLS to send anybody to.
  assert.equal((await cluster.get('/', 'web.example')).status, 200)
})

test('ingressGateway tells its Ingresses that what carries requests has failed', async () => {
  const cluster = await start()
  await serve(cluster, 'web')
  await cluster.create(ingress('web', { rules: [rule('web.example', 'web')] }))
  await cluster.until(async () => assert.ok(await statusOf(cluster, 'web')))
  cluster.plane.events!.failed('out of memory')
  await cluster.until(async () =>
    assert.deepEqual(await eventsOf(cluster, 'web'), [
      'Warning GatewayFailed: what carries requests failed and is started anew: out of memory',
    ]),
  )
})

test('ingressGateway shows the certificates of secrets, and follows them', async () => {
  const cluster = await start()
  await serve(cluster, 'web')
  const validity = { now: Date.now(), lifetime: 24 * 3600_000 }
  const authority = await createAuthority({ commonName: 'test', ...validity })
  const secret = async (...hosts: string[]): Promise<Secret> => {
    const pair = await issueCertificate(authority, { usage: 'server', commonName: 'x', hosts, ...validity })
    const data = {
      'tls.crt': Buffer.from(pair.certificate).toString('base64'),
      'tls.key': Buffer.from(pair.key).toString('base64'),
    }
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cert' }, type: 'kubernetes.io/tls', data }
  }
  const shown = (servername: string) =>
    new Promise<string>((resolve, reject) => {
      const { port } = cluster.ports.open.get(443)!
      const socket = tlsConnect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().subjectaltname ?? '')
        socket.destroy()
      })
      socket.on('error', reject)
    })
  await cluster.create(await secret('*.example'))
  await cluster.create(
    ingress('web', {
      rules: [rule('web.example', 'web')],
      tls: [{ hosts: ['*.example'], secretName: 'cert' }],
    }),
  )
  await cluster.until(async () => assert.ok(await statusOf(cluster, 'web')))
  assert.equal(await shown('web.example'), 'DNS:*.example')
  assert.equal(await shown('other'), 'DNS:localhost, DNS:*.localhost')
  const { data } = await secret('web.example')
  await cluster.objects('Secret').patch({ namespace: 'default', name: 'cert' }, { data }, { type: 'merge' })
  await cluster.until(async () => assert.equal(await shown('web.example'), 'DNS:web.example'))
  const broken = { data: { 'tls.crt': Buffer.from('x').toString('base64') } }
  await cluster.objects('Secret').patch({ namespace: 'default', name: 'cert' }, broken, { type: 'merge' })
  await cluster.until(async () => assert.equal(await shown('web.example'), 'DNS:localhost, DNS:*.localhost'))
  await cluster.until(async () =>
    assert.match(
      (await eventsOf(cluster, 'web')).join('\n'),
      /SecretInvalid: secret default\/cert holds no certificate with its key/,
    ),
  )
})

test('ingressGateway may read the secrets that Ingresses name, and no others', async () => {
  const cluster = await start()
  await cluster.create(ingress('web', { rules: [rule('web.example', 'web')], tls: [{ secretName: 'named' }] }))
  for (const name of ['named', 'other'])
    await cluster.create<Secret>({ apiVersion: 'v1', kind: 'Secret', metadata: { name } })
  const own = cluster.server.transport(controllerUser('ingress-controller'))
  const read = async (name: string) =>
    (await own({ method: 'GET', path: `/api/v1/namespaces/default/secrets/${name}` })).status
  assert.deepEqual([await read('named'), await read('other')], [200, 403])
  assert.equal((await own({ method: 'GET', path: '/api/v1/namespaces/default/secrets' })).status, 403)
})
