import assert from 'node:assert/strict'
import { request as httpsRequest } from 'node:https'
import { after, before, test } from 'node:test'
import { ADMIN } from '../../../src/apiserver/bootstrap/server.fixture.ts'
import { eventually } from '../../../src/lib/eventually.fixture.ts'
import { createAuthority, issueCertificate, type KeyPair } from '../../../src/lib/pki/certificate.ts'
import { settled } from '../../../src/lib/virtual-clock.ts'
import type { Loose } from '../api/start.ts'
import { startWire, type WireServer } from '../proxy/wire.ts'
import { type SmallServer, startSmallServer } from './small-server.ts'

const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices'
const NAME = 'v1.shop.example.com'
const FRUITS = '/apis/shop.example.com/v1/namespaces/default/fruits'
const times = { now: Date.now(), lifetime: 3_600_000 }

let api: WireServer
let small: SmallServer
let shopCa: KeyPair

before(async () => {
  const proxyCa = await createAuthority({ commonName: 'front-proxy-ca', ...times })
  shopCa = await createAuthority({ commonName: 'shop-ca', ...times })
  const serving = { commonName: 'shop', usage: 'server' as const, hosts: ['shop.default.svc'] }
  small = await startSmallServer(await issueCertificate(shopCa, { ...serving, ...times }), proxyCa.certificate)
  const client = await issueCertificate(proxyCa, { commonName: 'front-proxy-client', usage: 'client', ...times })
  api = await startWire({
    extend: authority => ({
      frontProxy: {
        trust: { clientCa: authority.certificate, frontProxyCa: proxyCa.certificate, names: ['front-proxy-client'] },
        client: async () => client,
      },
    }),
  })
})

after(async () => {
  await api.close()
  small.close()
})

const condition = async (name: string) => {
  const { object } = await api.send(ADMIN, 'GET', `${SERVICES}/${name}`)
  return object.status?.conditions?.find((each: { type: string }) => each.type === 'Available')
}

/** Looks until the condition has this reason: the check goes over the network. */
async function untilReason(reason: string) {
  let found: Awaited<ReturnType<typeof condition>>
  await eventually(async () => {
    await settled()
    found = await condition(NAME)
    assert.equal(found?.reason, reason, `${NAME} is ${JSON.stringify(found)}`)
  })
  return found
}

const registration = (spec: object = {}) => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: NAME },
  spec: {
    group: 'shop.example.com',
    version: 'v1',
    groupPriorityMinimum: 2000,
    versionPriority: 10,
    service: { namespace: 'default', name: 'shop', port: small.port },
    caBundle: Buffer.from(shopCa.certificate).toString('base64'),
    ...spec,
  },
})

const parse = (text: string) => JSON.parse(text)

test('APIServices of this server are local and available', async () => {
  const { object } = await api.send(ADMIN, 'GET', SERVICES)
  const names = object.items.map((each: { metadata: { name: string } }) => each.metadata.name)
  for (const name of ['v1.', 'v1.apps', 'v2.autoscaling']) assert.ok(names.includes(name), name)
  assert.ok(!names.includes('v1.apiregistration.k8s.io'))
  const { status, reason, message } = await condition('v1.apps')
  assert.deepEqual([status, reason, message], ['True', 'Local', 'Local APIServices are always available'])
  const { spec, metadata } = (await api.send(ADMIN, 'GET', `${SERVICES}/v2.autoscaling`)).object
  assert.deepEqual(spec, { group: 'autoscaling', version: 'v2', groupPriorityMinimum: 17500, versionPriority: 30 })
  assert.equal(metadata.labels['kube-aggregator.kubernetes.io/automanaged'], 'onstart')
})

/** Paths of the index page below a group. */
async function listed(group: string): Promise<string[]> {
  const { paths } = parse((await api.fetch('GET', '/')).text)
  return paths.filter((path: string) => path.startsWith(`/apis/${group}`))
}

test('an APIService says what is missing before it can be asked', async () => {
  assert.deepEqual(await listed('shop.example.com'), [])
  await api.send(ADMIN, 'POST', SERVICES, registration())
  // The index of paths has it, whether it can be asked or not.
  assert.deepEqual(await listed('shop.example.com'), ['/apis/shop.example.com', '/apis/shop.example.com/v1'])
  assert.deepEqual(await listed('batch'), ['/apis/batch', '/apis/batch/v1'])
  const missing = await untilReason('ServiceNotFound')
  assert.equal(missing.message, 'service/shop in "default" is not present')
  assert.equal(missing.status, 'False')
  const refused = await api.fetch('GET', FRUITS)
  assert.deepEqual([refused.status, refused.text], [503, 'service unavailable\n'])
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop', namespace: 'default' },
    spec: { ports: [{ port: 443 }] },
  }
  await api.send(ADMIN, 'POST', '/api/v1/namespaces/default/services', service)
  const wrong = await untilReason('ServicePortError')
  assert.equal(wrong.message, `service/shop in "default" is not listening on port ${small.port}`)
  const patch = { spec: { ports: [{ port: small.port, name: 'https', targetPort: small.port }] } }
  const { object } = await api.send(ADMIN, 'GET', '/api/v1/namespaces/default/services/shop')
  await api.send(ADMIN, 'PUT', '/api/v1/namespaces/default/services/shop', {
    ...object,
    spec: { ...object.spec, ...patch.spec },
  })
  assert.match((await untilReason('EndpointsNotFound')).message, /^cannot find endpointslices for service\/shop in/)
  await api.send(ADMIN, 'DELETE', '/api/v1/namespaces/default/services/shop')
  await untilReason('ServiceNotFound')
})

test('an APIService becomes available when its server answers', async () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop', namespace: 'default' },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  }
  await api.send(ADMIN, 'POST', '/api/v1/namespaces/default/services', service)
  const passed = await untilReason('Passed')
  assert.deepEqual([passed.status, passed.message], ['True', 'all checks passed'])
  assert.equal(small.seen.proxy, 'front-proxy-client')
})

test('a request is handed on with the name of who asks, and nothing that it claims itself', async () => {
  const body = JSON.stringify({ apiVersion: 'shop.example.com/v1', kind: 'Fruit', metadata: { name: 'apple' } })
  const made = await api.fetch('POST', `${FRUITS}?fieldManager=x`, body, {
    'content-type': 'application/json',
    'x-remote-user': 'root',
    'x-remote-extra-scopes': 'all',
  })
  assert.equal(made.status, 201)
  assert.equal(parse(made.text).metadata.namespace, 'default')
  const { headers, rawHeaders, url } = small.seen
  assert.equal(url, `${FRUITS}?fieldManager=x`)
  assert.equal(headers['x-remote-user'], 'kubernetes-admin')
  const groups = rawHeaders.filter((_, at) => rawHeaders[at - 1] === 'X-Remote-Group')
  assert.deepEqual(groups, ['system:masters', 'system:authenticated'])
  assert.equal(headers['x-remote-extra-scopes'], undefined)
  assert.match(String(headers['x-remote-extra-authentication.kubernetes.io%2fcredential-id']), /^X509SHA256=/)
  const got = await api.fetch('GET', `${FRUITS}/apple`)
  assert.equal(parse(got.text).metadata.name, 'apple')
  assert.equal((await api.fetch('GET', `${FRUITS}/none`)).status, 404)
})

test('a call inside the process reaches the other server too', async () => {
  const { status, object } = await api.send(ADMIN, 'GET', FRUITS)
  assert.deepEqual([status, object.kind, object.items.length], [200, 'FruitList', 1])
})

test('a watch goes on for as long as the client wants', async () => {
  const path = `${FRUITS}?watch=1`
  const lines: string[] = []
  const done = new Promise<void>((resolve, reject) => {
    const options = { host: '127.0.0.1', port: api.port, path, ...api.admin, agent: false as const }
    const request = httpsRequest(options, response => {
      response.on('data', chunk => {
        lines.push(...String(chunk).split('\n').filter(Boolean))
        if (lines.length === 1) void api.fetch('DELETE', `${FRUITS}/apple`)
        if (lines.length < 2) return
        request.destroy()
        resolve()
      })
    })
    request.on('error', error => (lines.length < 2 ? reject(error) : undefined))
    request.end()
  })
  await done
  assert.deepEqual(
    lines.map(line => parse(line).type),
    ['ADDED', 'DELETED'],
  )
})

interface Group {
  metadata: { name: string }
  versions: { freshness: string; resources: Loose[] }[]
}
const shopOf = (items: Group[]) => items.find(({ metadata }) => metadata.name === 'shop.example.com')!
const AGGREGATED = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' }

test('discovery has the other server in it, in the order of priority', async () => {
  const reply = await api.fetch('GET', '/apis', undefined, AGGREGATED)
  const { items } = parse(reply.text)
  const names = items.map((each: { metadata: { name: string } }) => each.metadata.name)
  assert.equal(names[0], 'apiregistration.k8s.io')
  assert.deepEqual(names.slice(-2), ['shop.example.com', 'metrics.k8s.io'])
  const [version] = shopOf(items).versions
  assert.deepEqual([version?.freshness, version?.resources[0].resource], ['Current', 'fruits'])
  const etag = String(reply.headers.etag)
  const again = await api.fetch('GET', '/apis', undefined, { ...AGGREGATED, 'if-none-match': etag })
  assert.equal(again.status, 304)
  const list = parse((await api.fetch('GET', '/apis')).text)
  assert.ok(list.groups.some((each: { name: string }) => each.name === 'shop.example.com'))
  const group = parse((await api.fetch('GET', '/apis/shop.example.com')).text)
  assert.deepEqual(group.preferredVersion, { groupVersion: 'shop.example.com/v1', version: 'v1' })
  const resources = parse((await api.fetch('GET', '/apis/shop.example.com/v1')).text)
  assert.equal(resources.resources[0].name, 'fruits')
})

test('OpenAPI has the other server in it', async () => {
  const index = parse((await api.fetch('GET', '/openapi/v3')).text)
  assert.equal(index.paths['apis/shop.example.com/v1'].serverRelativeURL, '/openapi/v3/apis/shop.example.com/v1?hash=A')
  assert.ok(index.paths['apis/apps/v1'])
  const own = parse((await api.fetch('GET', '/openapi/v3/apis/shop.example.com/v1')).text)
  assert.equal(own.openapi, '3.0.0')
  const all = parse((await api.fetch('GET', '/openapi/v2')).text)
  assert.ok(all.paths['/apis/shop.example.com/v1/fruits'])
  assert.ok(all.definitions['com.example.Fruit'])
  assert.ok(all.definitions['io.k8s.api.apps.v1.Deployment'])
})

test('a server that fails is unavailable, its discovery stale, until it answers again', async () => {
  small.fail(true)
  await api.clock.advance(30_000)
  const failed = await untilReason('FailedDiscoveryCheck')
  assert.match(
    failed.message,
    /^failing or missing response from https:\/\/localhost:\d+\/apis\/shop.example.com\/v1: /,
  )
  assert.match(failed.message, /bad status from https:\S+: 503$/)
  assert.equal((await api.fetch('GET', FRUITS)).text, 'service unavailable\n')
  const { items } = parse((await api.fetch('GET', '/apis', undefined, AGGREGATED)).text)
  const [version] = shopOf(items).versions
  assert.deepEqual([version?.freshness, version?.resources.length], ['Stale', 1])
  small.fail(false)
  await api.clock.advance(30_000)
  await untilReason('Passed')
})

test('discovery is read version by version from servers that know no better', async () => {
  small.oldDiscovery(true)
  await api.send(ADMIN, 'DELETE', `${SERVICES}/${NAME}`)
  await api.send(ADMIN, 'POST', SERVICES, registration())
  await untilReason('Passed')
  const { items } = parse((await api.fetch('GET', '/apis', undefined, AGGREGATED)).text)
  const [resource] = shopOf(items).versions[0]!.resources
  assert.deepEqual([resource.scope, resource.subresources[0].subresource], ['Namespaced', 'status'])
})

test('a server whose certificate is by another authority is not believed', async () => {
  await api.send(ADMIN, 'DELETE', `${SERVICES}/${NAME}`)
  const caBundle = Buffer.from(api.authority.certificate).toString('base64')
  await api.send(ADMIN, 'POST', SERVICES, registration({ caBundle }))
  assert.match((await untilReason('FailedDiscoveryCheck')).message, /x509: certificate signed by unknown authority/)
  await api.send(ADMIN, 'DELETE', `${SERVICES}/${NAME}`)
  const insecure = { ...registration({ insecureSkipTLSVerify: true }) }
  const { caBundle: _, ...spec } = insecure.spec
  await api.send(ADMIN, 'POST', SERVICES, { ...insecure, spec })
  await untilReason('Passed')
})

test('the group goes with its APIService', async () => {
  await api.send(ADMIN, 'DELETE', `${SERVICES}/${NAME}`)
  assert.equal((await api.fetch('GET', '/apis/shop.example.com')).status, 404)
  assert.equal((await api.fetch('GET', FRUITS)).status, 404)
})

test('servers read from the cluster whom they may believe', async () => {
  const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'
  const { data } = (await api.send(ADMIN, 'GET', path)).object
  assert.deepEqual(Object.keys(data).sort(), [
    'client-ca-file',
    'requestheader-allowed-names',
    'requestheader-client-ca-file',
    'requestheader-extra-headers-prefix',
    'requestheader-group-headers',
    'requestheader-uid-headers',
    'requestheader-username-headers',
  ])
  assert.equal(data['requestheader-allowed-names'], '["front-proxy-client"]')
})

const METRICS = 'v1beta1.metrics.k8s.io'

test('metrics.k8s.io is served here until another server is registered for it, and again after that', async () => {
  const { object } = await api.send(ADMIN, 'GET', `${SERVICES}/${METRICS}`)
  assert.deepEqual(object.spec, {
    group: 'metrics.k8s.io',
    version: 'v1beta1',
    groupPriorityMinimum: 100,
    versionPriority: 100,
  })
  const local = parse((await api.fetch('GET', '/apis/metrics.k8s.io/v1beta1/nodes')).text)
  assert.deepEqual([local.kind, local.items], ['NodeMetricsList', []])
  const service = { namespace: 'kube-system', name: 'metrics-server', port: 443 }
  const patch = { spec: { service, insecureSkipTLSVerify: true } }
  const patched = await api.send(ADMIN, 'PATCH', `${SERVICES}/${METRICS}`, patch, {
    contentType: 'application/merge-patch+json',
  })
  assert.equal(patched.status, 200)
  await settled()
  const theirs = await api.fetch('GET', '/apis/metrics.k8s.io/v1beta1/nodes')
  assert.deepEqual([theirs.status, theirs.text], [503, 'service unavailable\n'])
  await api.send(ADMIN, 'DELETE', `${SERVICES}/${METRICS}`)
  await settled()
  const again = (await api.send(ADMIN, 'GET', `${SERVICES}/${METRICS}`)).object
  assert.equal(again.spec.service, undefined)
  assert.equal((await api.fetch('GET', '/apis/metrics.k8s.io/v1beta1/nodes')).status, 200)
  // The role that metrics-server's manifest brings goes with it, so what viewers may must not hang on that.
  const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:aggregated-metrics-reader'
  assert.equal((await api.send(ADMIN, 'GET', role)).status, 404)
})
