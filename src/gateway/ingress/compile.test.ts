import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import { createTable } from '../routing/table.ts'
import { compile } from './compile.ts'

let age = 0
const ingress = (name: string, spec: Ingress['spec'], annotations?: Record<string, string>): Ingress => ({
  metadata: {
    namespace: 'default',
    name,
    creationTimestamp: new Date(Date.UTC(2026, 0, 1) + age++ * 1000).toISOString(),
    ...(annotations && { annotations }),
  },
  spec: spec ?? {},
})
const service = (name: string, port: number | string = 80) => ({
  service: { name, port: typeof port === 'number' ? { number: port } : { name: port } },
})
const rule = (host: string | undefined, ...paths: [path: string, service: string, type?: string][]) => ({
  ...(host !== undefined && { host }),
  http: {
    paths: paths.map(([path, name, pathType = 'Prefix']) => ({
      path,
      pathType: pathType as 'Prefix',
      backend: service(name),
    })),
  },
})
const resource = { resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'icons' } }

const lead = (ingresses: readonly Ingress[], host: string, path: string) =>
  createTable(compile(ingresses).routes).find(host, path)?.target?.service ?? 'none'

test('compile makes routes of rules, with the service in the namespace of the Ingress', () => {
  const { routes, problems } = compile([
    ingress('a', {
      rules: [
        { host: 'a.example', http: { paths: [{ path: '/x', pathType: 'Exact', backend: service('s', 'web') }] } },
      ],
    }),
  ])
  assert.deepEqual(
    [...routes.values()],
    [
      {
        host: 'a.example',
        match: 'Exact',
        path: '/x',
        target: { namespace: 'default', service: 's', port: 'web' },
        redirect: false,
        owner: { namespace: 'default', name: 'a' },
      },
    ],
  )
  assert.deepEqual(problems, [])
})

test('compile takes ImplementationSpecific as Prefix, and no path as all', () => {
  const own = ingress('a', { rules: [rule('a.example', ['', 'all', 'ImplementationSpecific'])] })
  assert.equal(lead([own], 'a.example', '/x/y'), 'all')
})

test('compile merges the paths of a host from several Ingresses', () => {
  const all = [
    ingress('a', { rules: [rule('a.example', ['/', 'one'])] }),
    ingress('b', { rules: [rule('a.example', ['/b', 'two'])] }),
  ]
  assert.equal(lead(all, 'a.example', '/b/x'), 'two')
  assert.equal(lead(all, 'a.example', '/c'), 'one')
})

test('compile gives what two Ingresses want to the older one, and tells the other', () => {
  const older = ingress('z', { rules: [rule('a.example', ['/x', 'older'])] })
  const newer = ingress('a', { rules: [rule('a.example', ['/x/', 'newer'], ['/y', 'newer'])] })
  assert.equal(lead([newer, older], 'a.example', '/x'), 'older')
  assert.equal(lead([newer, older], 'a.example', '/y'), 'newer')
  assert.deepEqual(
    compile([newer, older]).problems.map(each => [each.ingress.metadata?.name, each.reason, each.message]),
    [['a', 'PathConflict', 'Prefix path /x/ of host a.example is served by the older Ingress default/z']],
  )
})

test('compile refuses backends that are resources, and leads their paths nowhere else', () => {
  const own = ingress('a', {
    defaultBackend: service('other'),
    rules: [{ host: 'a.example', http: { paths: [{ path: '/icons', pathType: 'Prefix', backend: resource }] } }],
  })
  const { routes, problems } = compile([own])
  assert.equal([...routes.values()].find(({ path }) => path === '/icons')?.target, undefined)
  assert.deepEqual(
    problems.map(({ reason }) => reason),
    ['ResourceRefused'],
  )
  assert.equal(lead([own], 'a.example', '/other'), 'other')
})

const defaults: readonly [title: string, host: string, path: string, answer: string][] = [
  ['a host of its rules, where no path matches', 'a.example', '/none', 'own'],
  ['no host that is not in its rules', 'c.example', '/', 'lone'],
  ['no host of another Ingress', 'b.example', '/none', 'none'],
]
for (const [title, host, path, answer] of defaults) {
  test(`compile has the default backend of an Ingress with rules serve ${title}`, () => {
    const all = [
      ingress('with-rules', { defaultBackend: service('own'), rules: [rule('a.example', ['/x', 'x'])] }),
      ingress('other', { rules: [rule('b.example', ['/x', 'x'])] }),
      ingress('without-rules', { defaultBackend: service('lone') }),
    ]
    assert.equal(lead(all, host, path), answer)
  })
}

test('compile has a rule for all paths come before an older default backend', () => {
  const all = [
    ingress('default', { defaultBackend: service('default') }),
    ingress('rule', { rules: [rule(undefined, ['/', 'rule'])] }),
  ]
  assert.equal(lead(all, 'a.example', '/'), 'rule')
})

const annotated: readonly [
  annotations: Record<string, string>,
  redirect: boolean,
  bodyBytes?: number | undefined,
  ignored?: string,
][] = [
  [{}, true],
  [{ 'kubernetes.io/tls-acme': 'true', 'cert-manager.io/issuer': 'x', 'example.com/mine': 'y' }, true],
  [{ 'nginx.ingress.kubernetes.io/ssl-redirect': 'false' }, false],
  [{ 'tutti.dev/ssl-redirect': 'false', 'nginx.ingress.kubernetes.io/ssl-redirect': 'true' }, false],
  [{ 'nginx.ingress.kubernetes.io/proxy-body-size': '8m' }, true, 8 * 1024 * 1024],
  [{ 'tutti.dev/proxy-body-size': '512K' }, true, 512 * 1024],
  [{ 'nginx.ingress.kubernetes.io/proxy-body-size': '0' }, true],
  [
    { 'nginx.ingress.kubernetes.io/proxy-body-size': 'much' },
    true,
    undefined,
    'nginx.ingress.kubernetes.io/proxy-body-size',
  ],
  [
    { 'nginx.ingress.kubernetes.io/rewrite-target': '/', 'traefik.ingress.kubernetes.io/router.entrypoints': 'web' },
    true,
    undefined,
    'nginx.ingress.kubernetes.io/rewrite-target, traefik.ingress.kubernetes.io/router.entrypoints',
  ],
  [
    { 'nginx.ingress.kubernetes.io/backend-protocol': 'FCGI' },
    true,
    undefined,
    'nginx.ingress.kubernetes.io/backend-protocol',
  ],
  [{ 'tutti.dev/misspelt': '1' }, true, undefined, 'tutti.dev/misspelt'],
]
for (const [annotations, redirect, bodyBytes, ignored] of annotated) {
  test(`compile heeds, or tells of, the annotations ${JSON.stringify(annotations)}`, () => {
    const own = ingress('a', { tls: [{ hosts: ['a.example'] }], rules: [rule('a.example', ['/', 's'])] })
    const { routes, problems } = compile([{ ...own, metadata: { ...own.metadata, annotations } }])
    const [route] = routes.values()
    assert.deepEqual([route?.redirect, route?.bodyBytes], [redirect, bodyBytes])
    assert.deepEqual(
      problems.map(({ reason, message }) => `${reason}: ${message}`),
      ignored ? [`AnnotationsIgnored: these mean nothing here, or nothing with their values: ${ignored}`] : [],
    )
  })
}

test('compile leads to backends by the protocol that the Ingress names', () => {
  const led = (value?: string) => {
    const own = ingress('a', { rules: [rule('a.example', ['/', 's'])] })
    const annotations = value && { 'nginx.ingress.kubernetes.io/backend-protocol': value }
    const [route] = compile([
      { ...own, metadata: { ...own.metadata, ...(annotations && { annotations }) } },
    ]).routes.values()
    return route?.target?.protocol
  }
  assert.deepEqual([undefined, 'HTTPS', 'http', 'GRPC', 'AJP'].map(led), [undefined, 'https', 'http', 'h2c', undefined])
})

test('compile sends all requests of an Ingress to TLS where it says so', () => {
  const own = ingress('a', { rules: [rule('a.example', ['/', 's'])] })
  const annotations = { 'nginx.ingress.kubernetes.io/force-ssl-redirect': 'true' }
  const [route] = compile([{ ...own, metadata: { ...own.metadata, annotations } }]).routes.values()
  assert.equal(route?.redirect, true)
})

test('compile redirects the hosts of an Ingress that it has TLS for', () => {
  const tls = [{ hosts: ['a.example'], secretName: 'cert' }]
  const rules = [rule('a.example', ['/', 's']), rule('b.example', ['/', 's'])]
  const redirects = (one: Ingress) => [...compile([one]).routes.values()].map(({ redirect }) => redirect)
  assert.deepEqual(redirects(ingress('a', { tls, rules })), [true, false])
  assert.deepEqual(redirects(ingress('b', { tls: [{}], rules })), [true, true])
  for (const key of ['tutti.dev/ssl-redirect', 'nginx.ingress.kubernetes.io/ssl-redirect'])
    assert.deepEqual(redirects(ingress('c', { tls, rules }, { [key]: 'false' })), [false, false])
})

test('compile names the secrets of hosts, and takes no hosts for those of the rules', () => {
  const rules = [rule('a.example', ['/', 's']), rule('*.b.example', ['/', 's'])]
  const { certificates } = compile([
    ingress('a', {
      tls: [{ hosts: ['x.example'], secretName: 'x' }, { secretName: 'all' }, { hosts: ['none.example'] }],
      rules,
    }),
    ingress('b', { tls: [{ secretName: 'any' }], defaultBackend: service('s') }),
  ])
  assert.deepEqual(
    certificates.map(({ hosts, secret }) => [secret, ...hosts]),
    [
      ['x', 'x.example'],
      ['all', 'a.example', '*.b.example'],
      ['any', ''],
    ],
  )
})
