/** What the Kubernetes project's own suite for ingress controllers (ingress-controller-conformance) asks of one. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Ingress } from '../../../src/api/kinds/networking/ingress.ts'
import type { IngressClass } from '../../../src/api/kinds/networking/ingress-class.ts'
import { backend, ends, ingress, serve, start, statusOf } from './start.ts'

after(async () => {
  for (const end of ends.reverse()) await end()
})

type Path = readonly [path: string, pathType: 'Exact' | 'Prefix', service: string]
const rule = (host: string | undefined, ...paths: Path[]) => ({
  ...(host && { host }),
  http: { paths: paths.map(([path, pathType, service]) => ({ path, pathType, backend: backend(service) })) },
})

const INGRESSES: readonly Ingress[] = [
  ingress('paths', {
    rules: [
      rule('exact', ['/foo', 'Exact', 'foo-exact']),
      rule('prefix', ['/foo', 'Prefix', 'foo'], ['/aaa/bbb', 'Prefix', 'aaa-bbb'], ['/aaa', 'Prefix', 'aaa']),
      rule('mixed', ['/foo', 'Prefix', 'foo'], ['/foo', 'Exact', 'foo-exact']),
      rule('slash', ['/aaa/bbb/', 'Prefix', 'aaa-bbb'], ['/foo/', 'Exact', 'foo-exact']),
    ],
  }),
  ingress('hosts', { rules: [rule('*.foo.com', ['/', 'Prefix', 'foo']), rule('foo.bar.com', ['/', 'Prefix', 'aaa'])] }),
]
const SERVICES = ['foo-exact', 'foo', 'aaa-bbb', 'aaa']

let cluster: Awaited<ReturnType<typeof start>>
before(async () => {
  cluster = await start()
  for (const name of SERVICES) await serve(cluster, name)
  for (const each of INGRESSES) await cluster.create(each)
  for (const { metadata } of INGRESSES)
    await cluster.until(async () => assert.ok(await statusOf(cluster, metadata!.name!)))
})

const requests: readonly [host: string, path: string, service: string | 404][] = [
  ['exact', '/foo', 'foo-exact'],
  ['exact', '/foo/', 404],
  ['exact', '/FOO', 404],
  ['exact', '/bar', 404],
  ['prefix', '/foo', 'foo'],
  ['prefix', '/foo/', 'foo'],
  ['prefix', '/FOO', 404],
  ['prefix', '/aaa/bbb', 'aaa-bbb'],
  ['prefix', '/aaa/bbb/ccc', 'aaa-bbb'],
  ['prefix', '/aaa/ccc', 'aaa'],
  ['prefix', '/aaaccc', 404],
  ['mixed', '/foo', 'foo-exact'],
  ['slash', '/aaa/bbb', 'aaa-bbb'],
  ['slash', '/aaa/bbb/', 'aaa-bbb'],
  ['slash', '/foo', 404],
  ['foo.bar.com', '/', 'aaa'],
  ['subdomain.bar.com', '/', 404],
  ['bar.foo.com', '/', 'foo'],
  ['baz.bar.foo.com', '/', 404],
  ['foo.com', '/', 404],
]
for (const [host, path, service] of requests) {
  test(`ingressGateway answers ${host}${path} by ${service}`, async () => {
    const { status, body } = await cluster.get(path, host)
    assert.deepEqual([status, status === 200 ? body : status], service === 404 ? [404, 404] : [200, service])
  })
}

test('ingressGateway shows no address in an Ingress of a class that nobody has', async () => {
  await cluster.create<IngressClass>({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'other' },
    spec: { controller: 'example.com/other' },
  })
  for (const ingressClassName of ['missing', 'other'])
    await cluster.create(
      ingress(`class-${ingressClassName}`, { ingressClassName, rules: [rule('class', ['/', 'Prefix', 'foo'])] }),
    )
  // What comes after them has been seen.
  await cluster.create(ingress('last', { rules: [rule('last', ['/', 'Prefix', 'foo'])] }))
  await cluster.until(async () => assert.ok(await statusOf(cluster, 'last')))
  for (const name of ['class-missing', 'class-other']) assert.equal(await statusOf(cluster, name), undefined)
  assert.equal((await cluster.get('/', 'class')).status, 404)
})

test('ingressGateway answers everything by the default backend of an Ingress without rules', async () => {
  await cluster.create(ingress('default', { defaultBackend: backend('foo') }))
  await cluster.until(async () => assert.ok(await statusOf(cluster, 'default')))
  for (const [host, path] of [
    ['my-host', '/'],
    ['my-host', '/sub-path'],
    ['some-host', '/resource'],
  ] as const)
    assert.deepEqual(await cluster.get(path, host), { status: 200, body: 'foo' })
  assert.equal((await cluster.get('/bar', 'exact')).status, 404, 'a host that has rules is not everything')
})
