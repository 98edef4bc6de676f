import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Secret } from '../../../src/api/kinds/core/secret.ts'
import type { IngressClass } from '../../../src/api/kinds/networking/ingress-class.ts'
import { controllerUser } from '../../../src/controllers/accounts.ts'
import { ends, eventsOf, ingress, rule, serve, shownBy, start, statusOf, tlsSecret } from './start.ts'

after(async () => {
  for (const end of ends.reverse()) await end()
})

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
  const shown = (servername: string) => shownBy(cluster, servername)
  await cluster.create(await tlsSecret('cert', '*.example'))
  await cluster.create(
    ingress('web', {
      rules: [rule('web.example', 'web')],
      tls: [{ hosts: ['*.example'], secretName: 'cert' }],
    }),
  )
  await cluster.until(async () => assert.ok(await statusOf(cluster, 'web')))
  assert.equal(await shown('web.example'), 'DNS:*.example')
  assert.equal(await shown('other'), 'DNS:localhost, DNS:*.localhost')
  const { data } = await tlsSecret('cert', 'web.example')
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
