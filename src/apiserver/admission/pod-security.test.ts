import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN, account, person, pod, startServer } from '../bootstrap/server.fixture.ts'
import type { AdmissionOptions } from './all.ts'

const LABEL = 'pod-security.kubernetes.io/'

const labelled = (name: string, labels: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [LABEL + key, value])) },
})

async function start(labels: Record<string, string>, admission: AdmissionOptions = {}) {
  const api = await startServer({ extensions: { admission } })
  const made = await api.send(ADMIN, 'POST', '/api/v1/namespaces', labelled('n', labels))
  assert.equal(made.status, 201, made.object.message)
  await api.send(ADMIN, 'POST', '/api/v1/namespaces/n/serviceaccounts', account('default', 'n'))
  const create = (spec: object, name = 'p', user = ADMIN) =>
    api.send(user, 'POST', '/api/v1/namespaces/n/pods', pod(name, spec, { namespace: 'n' }))
  return { ...api, create }
}

const host = { hostNetwork: true }
const HOST = 'host namespaces (hostNetwork=true)'
const deployment = (spec: object) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', namespace: 'n' },
  spec: {
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'main', image: 'host' }], ...spec } },
  },
})

test('PodSecurity refuses pods against the enforced level, and warns about what would make them', async () => {
  const { server, send, create } = await start({ enforce: 'baseline', 'enforce-version': 'v1.30' })
  const refused = await create(host)
  assert.deepEqual(
    [refused.status, refused.object.message],
    [403, `pods "p" is forbidden: violates PodSecurity "baseline:v1.30": ${HOST}`],
  )
  assert.equal((await create({})).status, 201)
  const made = await send(ADMIN, 'POST', '/apis/apps/v1/namespaces/n/deployments', deployment(host))
  assert.deepEqual([made.status, made.warnings], [201, [`would violate PodSecurity "baseline:v1.30": ${HOST}`]])
  await server.close()
})

test('PodSecurity that only warns or audits lets everything pass', async () => {
  const { server, create } = await start({ warn: 'restricted', audit: 'restricted' })
  const made = await create(host)
  assert.equal(made.status, 201)
  assert.match(
    made.warnings[0]!,
    /^would violate PodSecurity "restricted:latest": host namespaces \(hostNetwork=true\), allow/,
  )
  await server.close()
})

test('PodSecurity looks at updates only where they bring images or containers', async () => {
  const { server, send, create } = await start({})
  await create(host)
  await send(ADMIN, 'PATCH', '/api/v1/namespaces/n', labelled('n', { enforce: 'baseline' }), {
    contentType: 'application/merge-patch+json',
  })
  const patch = (body: object) =>
    send(ADMIN, 'PATCH', '/api/v1/namespaces/n/pods/p', body, { contentType: 'application/strategic-merge-patch+json' })
  assert.equal((await patch({ metadata: { labels: { a: 'b' } } })).status, 200)
  assert.equal((await patch({ spec: { containers: [{ name: 'main', image: 'other' }] } })).status, 403)
  await server.close()
})

test('PodSecurity tells what the pods that are there have against a new level', async () => {
  const { server, send, create } = await start({})
  for (const name of ['b', 'a', 'c']) await create(host, name)
  await create({ hostPID: true }, 'd')
  const tightened = await send(ADMIN, 'PATCH', '/api/v1/namespaces/n', labelled('n', { enforce: 'baseline' }), {
    contentType: 'application/merge-patch+json',
  })
  assert.deepEqual(tightened.warnings, [
    'existing pods in namespace "n" violate the new PodSecurity enforce level "baseline:latest"',
    'a (and 3 other pods): host namespaces',
  ])
  await server.close()
})

test('PodSecurity refuses labels that mean nothing, and goes on where they were there before', async () => {
  const api = await startServer({ extensions: { admission: { disable: ['PodSecurity'] } } })
  await api.send(ADMIN, 'POST', '/api/v1/namespaces', labelled('n', { enforce: 'strict' }))
  await api.server.close()
  const { server, send } = await startServer({ store: api.store })
  const bad = await send(ADMIN, 'POST', '/api/v1/namespaces', labelled('m', { enforce: 'strict' }))
  assert.deepEqual(
    [bad.status, bad.object.message],
    [
      422,
      'Namespace "m" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
    ],
  )
  const body = { metadata: { annotations: { a: 'b' } } }
  const merge = { contentType: 'application/merge-patch+json' }
  assert.equal((await send(ADMIN, 'PATCH', '/api/v1/namespaces/n', body, merge)).status, 200)
  await server.close()
})

test('PodSecurity exempts namespaces, users and runtime classes that its configuration names', async () => {
  const exemptions = { namespaces: ['kube-system'], usernames: ['trusted'], runtimeClasses: ['process'] }
  const { server, send, create } = await start({ enforce: 'restricted' }, { podSecurity: { exemptions } })
  assert.equal((await create({ runtimeClassName: 'process', ...host })).status, 201)
  assert.equal((await create(host, 'q')).status, 403)
  const trusted = person('trusted', 'system:masters')
  assert.equal((await create(host, 'q', trusted)).status, 201)
  const warned = await send(
    ADMIN,
    'PATCH',
    '/api/v1/namespaces/kube-system',
    labelled('kube-system', { enforce: 'baseline' }),
    {
      contentType: 'application/merge-patch+json',
    },
  )
  assert.deepEqual(warned.warnings, [
    'namespace "kube-system" is exempt from Pod Security, and the policy (enforce=baseline:latest, warn=) will be ignored'.replace(
      ', warn=',
      '',
    ),
  ])
  await server.close()
})

test('PodSecurity takes the defaults of its configuration where a namespace says nothing', async () => {
  const defaults = { enforce: { level: 'baseline', version: 'latest' } } as const
  const { server, create } = await start({}, { podSecurity: { defaults } })
  assert.match((await create(host)).object.message, /violates PodSecurity "baseline:latest"/)
  await server.close()
})
