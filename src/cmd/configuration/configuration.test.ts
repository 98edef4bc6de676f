import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { kinds } from '../../api/kinds/all.ts'
import { fakePlugin } from '../../apiserver/encryption/kms/plugin.fixture.ts'
import { parseRequestInfo } from '../../apiserver/http/request-info.ts'
import type { ServerRequest } from '../../apiserver/request.ts'
import { UserError } from '../../cli/context.ts'
import { silent } from '../../lib/log.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { memoryStore } from '../../store/memory/memory.ts'
import { encryptBy, ownEncryption } from './encryption.ts'
import { ingressOfNode, ingressOfNodes } from './ingress.ts'
import { configurationSchema } from './schema.ts'
import { loadSettings } from './settings.ts'

const base = mkdtempSync(join(tmpdir(), 'tutti-config-'))
after(() => rmSync(base, { recursive: true, force: true }))

const HEAD = 'apiVersion: tutti.dev/v1alpha1\nkind: TuttiConfiguration\n'
const clock = virtualClock()
const deps = { clock, logger: silent, uuid: () => 'id' }

function folder(files: Record<string, string> = {}): string {
  const dir = mkdtempSync(join(base, 'own-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return dir
}
const load = (text: string, files: Record<string, string> = {}) =>
  loadSettings(join(folder({ 'config.yaml': text, ...files }), 'config.yaml'), deps)

test('loadSettings has a default for everything', async () => {
  const settings = await loadSettings(undefined, deps)
  const { kinds: served, featuresOff, ...rest } = settings
  assert.equal(served, kinds)
  assert.deepEqual([...featuresOff], [])
  assert.deepEqual(rest, {
    serviceCidr: '10.96.0.0/16',
    nodeLimits: {},
    nodeRanges: [{ clusterCidr: '10.244.0.0/16', nodeBits: 24 }],
    addressPools: [],
    extension: {},
    audit: undefined,
    encryption: undefined,
    containers: { registries: [] },
    ingress: { trustedProxies: [] },
  })
})

test('loadSettings reads what stands in the file and in those that it names', async () => {
  const text = `${HEAD}
network: {serviceCIDR: 10.99.0.0/20, nodePortRange: 31000-31010, clusterCIDR: 10.8.0.0/16, nodeCIDRMaskSize: 22}
admission: {enable: [NamespaceAutoProvision], disable: [Priority]}
events: {ttl: 30m}
ingress: {httpPort: 8080, trustedProxies: [10.0.0.0/8, 192.0.2.1, "2001:db8::7"]}
node: {maxPods: 250, reserved: {cpu: 500m, memory: 1Gi}}
audit: {policyFile: policy.yaml, log: {path: logs/audit.log, maxSize: 10}}
authentication: {tokenFile: tokens.csv}
encryption: {configurationFile: keys.yaml}
runtimeConfig: {batch/v1: false, api/beta: false}
featureGates: {WatchList: false, AllAlpha: false, OpenAPIEnums: true, SidecarContainers: true}
`
  const policy = '{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Metadata}]}'
  const settings = await load(text, { 'policy.yaml': policy, 'tokens.csv': 'secret,ann,1' })
  assert.equal(settings.serviceCidr, '10.99.0.0/20')
  assert.deepEqual(settings.nodeRanges, [{ clusterCidr: '10.8.0.0/16', nodeBits: 22 }])
  assert.deepEqual(settings.nodeLimits, { maxPods: 250, reserved: { cpu: '500m', memory: '1Gi' } })
  assert.deepEqual(
    kinds
      .filter(each => !settings.kinds.includes(each))
      .map(each => each.key)
      .sort(),
    ['batch/v1/cronjobs', 'batch/v1/jobs'],
  )
  assert.deepEqual([...settings.featuresOff], ['WatchList'])
  assert.deepEqual(settings.extension, {
    nodePorts: [31000, 31010],
    eventTtl: 1_800_000,
    admission: { enable: ['NamespaceAutoProvision'], disable: ['Priority'] },
    authentication: { tokens: 'secret,ann,1' },
  })
  assert.deepEqual(settings.ingress, { http: 8080, trustedProxies: ['10.0.0.0/8', '192.0.2.1/32', '2001:db8::7/128'] })
  assert.deepEqual(ingressOfNode(ingressOfNodes(settings.ingress)), settings.ingress)
  assert.ok(settings.audit)
  assert.match(String(settings.encryption), /own-\w+\/keys\.yaml$/)
  await settings.audit?.close()
})

const wrong: readonly [text: string, message: RegExp][] = [
  [
    'kind: Other',
    /config\.yaml: apiVersion is not set, kind is "Other": expected apiVersion tutti\.dev\/v1alpha1, kind TuttiConfiguration/,
  ],
  [`${HEAD}containers: {cgroupDriver: other}`, /containers\.cgroupDriver: "other" is not cgroupfs or systemd/],
  [`${HEAD}registries: [{host: a b}]`, /registries\[0\]\.host: "a b" is no registry/],
  [`${HEAD}registries: [{host: a.io, mirrors: [b.io]}]`, /registries\[0\]\.mirrors: "b\.io" is no address/],
  [`${HEAD}registries: [{host: a.io, caFile: nosuch.pem}]`, /registries\[0\]\.caFile: /],
  [`${HEAD}network: {cidr: x}`, /config\.yaml: unknown field "network\.cidr"/],
  [`${HEAD}ingress: {trustedProxies: [10.0.0.0/99]}`, /config\.yaml: ingress\.trustedProxies: /],
  [`${HEAD}ingress: {trustedProxies: [proxy.example]}`, /config\.yaml: ingress\.trustedProxies: .*"proxy\.example"/],
  [`${HEAD}events: {ttl: 5}`, /config\.yaml: events\.ttl must be a string, and is 5/],
  [`${HEAD}events: {ttl: soon}`, /config\.yaml: events\.ttl: /],
  [`${HEAD}events: {ttl: 0s}`, /events\.ttl: "0s" is no time like 1h/],
  [`${HEAD}network: {serviceCIDR: ten}`, /config\.yaml: network\.serviceCIDR: /],
  [`${HEAD}network: {serviceCIDR: 10.0.0.0/8}`, /serviceCIDR: 10\.0\.0\.0\/8 must have a prefix from \/12 to \/30/],
  [`${HEAD}network: {loadBalancerPools: [{addresses: [x]}]}`, /loadBalancerPools: "x" is no address, no range/],
  [
    `${HEAD}network: {loadBalancerPools: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}]}`,
    /two pools are called "default"/,
  ],
  [
    `${HEAD}network: {clusterCIDR: "fd00::/56"}`,
    /clusterCIDR: fd00::\/56 must have the families of network.serviceCIDR/,
  ],
  [`${HEAD}network: {serviceCIDR: "10.96.0.0/16,10.97.0.0/16"}`, /one range, or two of different families/],
  [`${HEAD}network: {nodePortRange: 40000-30000}`, /nodePortRange: "40000-30000" is no range of ports/],
  [`${HEAD}audit: {log: {path: x}}`, /audit\.policyFile: Required value/],
  [`${HEAD}audit: {policyFile: none.yaml, log: {path: x}}`, /none\.yaml: Policy: ENOENT/],
  [`${HEAD}audit: {policyFile: bad.yaml, log: {path: x}}`, /bad\.yaml: Policy: rules: Required value/],
  [`${HEAD}authentication: {configurationFile: none.yaml}`, /authentication\.configurationFile: ENOENT/],
  [`${HEAD}runtimeConfig: {batch/v1: 1}`, /config\.yaml: runtimeConfig\.batch\/v1 must be a boolean, and is 1/],
  [
    `${HEAD}runtimeConfig: {batch/v2: true}`,
    /runtimeConfig: version "v2" of the API group "batch" is not built: batch\/v1 is/,
  ],
  [`${HEAD}runtimeConfig: {bach/v1: false}`, /runtimeConfig: unknown api groups bach: is "batch\/v1" meant\?/],
  [`${HEAD}runtimeConfig: {v1: false}`, /runtimeConfig: "v1" cannot be turned off: the cluster's own parts need it/],
  [`${HEAD}runtimeConfig: {api/all: false}`, /runtimeConfig: invalid key with only api\/all=false/],
  [
    `${HEAD}runtimeConfig: {autoscaling/v2: false}`,
    /"autoscaling\/v2" cannot be turned off while autoscaling\/v1 is served/,
  ],
  [
    `${HEAD}featureGates: {WatchLists: true}`,
    /featureGates: unknown feature gate "WatchLists": is "WatchList" meant\?/,
  ],
  [`${HEAD}featureGates: {Nonsense: true}`, /featureGates: unknown feature gate "Nonsense"$/],
  [
    `${HEAD}featureGates: {SidecarContainers: false}`,
    /cannot set feature gate SidecarContainers to false, feature is locked to true/,
  ],
  [
    `${HEAD}featureGates: {StorageVersionMigrator: true}`,
    /"StorageVersionMigrator" cannot be turned on: the feature is not built/,
  ],
  [`${HEAD}featureGates: {OpenAPIEnums: false}`, /"OpenAPIEnums" cannot be turned off here/],
  [`${HEAD}featureGates: {AllAlpha: true}`, /"AllAlpha" cannot be set to true: turn features on one by one/],
  [`${HEAD}events: {ttl: 1h}\nevents: {ttl: 2h}`, /config\.yaml: .*(duplicate|unique)/i],
]
for (const [text, message] of wrong) {
  test(`loadSettings refuses ${JSON.stringify(text.replace(HEAD, ''))}`, async () => {
    const policy = '{apiVersion: audit.k8s.io/v1, kind: Policy, rules: []}'
    await assert.rejects(load(text, { 'bad.yaml': policy }), error => {
      assert.ok(error instanceof UserError)
      assert.match(error.message, message)
      return true
    })
  })
}

test('loadSettings opens a webhook that gets the audit events, whatever it answers', async () => {
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    bodies.push(text)
    response.end('thanks')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const kubeconfig = JSON.stringify({
    clusters: [{ name: 'a', cluster: { server: `http://127.0.0.1:${port}/events` } }],
    contexts: [{ name: 'a', context: { cluster: 'a' } }],
    'current-context': 'a',
  })
  const policy = '{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Metadata}]}'
  const text = `${HEAD}audit: {policyFile: policy.yaml, webhook: {kubeconfigFile: hook, batchMaxSize: 1}}`
  const { audit } = await load(text, { 'policy.yaml': policy, hook: kubeconfig })
  const request: Partial<ServerRequest> = {
    method: 'GET',
    path: '/version',
    query: new URLSearchParams(),
    headers: {},
    info: parseRequestInfo('GET', '/version', new URLSearchParams()),
    user: { name: 'ann', groups: [] },
  }
  await audit!.filter(async () => ({ type: 'value', status: 200, value: null }))(request as ServerRequest)
  await audit!.close()
  server.closeAllConnections()
  server.close()
  const events = bodies.flatMap(body => JSON.parse(body).items as { stage: string; user: { username: string } }[])
  assert.deepEqual(
    events.map(({ stage, user }) => `${stage} ${user.username}`),
    ['RequestReceived ann', 'ResponseComplete ann'],
  )
})

test('loadSettings reads what AdmissionConfiguration says, and files that it names beside it', async () => {
  const text = `${HEAD}admission: {configurationFile: admission.yaml}\n`
  const plugins = 'plugins: [{name: PodSecurity, path: security.yaml}]'
  const files = {
    'admission.yaml': `apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n${plugins}`,
    'security.yaml':
      'apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\ndefaults: {enforce: baseline}',
  }
  const { extension } = await load(text, files)
  assert.deepEqual(extension.admission?.podSecurity?.defaults?.enforce, { level: 'baseline', version: 'latest' })
  await assert.rejects(load(text, { ...files, 'security.yaml': 'kind: Other' }), /admission.configurationFile/)
})

test('configurationSchema is the one that editors are given', () => {
  const file = new URL('../../../docs/configuration.schema.json', import.meta.url)
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), configurationSchema())
})

test('ownEncryption makes a key once, and encryptBy reads what it wrote', async () => {
  const dir = folder()
  const file = ownEncryption(dir)
  const text = readFileSync(file, 'utf8')
  assert.equal(ownEncryption(dir), file)
  assert.equal(readFileSync(file, 'utf8'), text)
  const below = memoryStore({ clock })
  const { store, close } = await encryptBy(below, file, deps)
  const key = '/registry/core/secrets/default/a'
  await store.commit([{ type: 'put', key, value: Buffer.from('{}') }])
  assert.match((await below.get(key))!.value.toString('latin1'), /^k8s:enc:aesgcm:v1:key1:/)
  close()
  const again = await encryptBy(below, file, deps)
  assert.equal((await again.store.get(key))!.value.toString(), '{}')
  again.close()
})

test('encryptBy starts the KMS plugin that the file names, and refuses one that does not answer', async t => {
  const plugin = await fakePlugin()
  t.after(() => plugin.stop())
  const text = (endpoint: string) =>
    JSON.stringify({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'EncryptionConfiguration',
      resources: [{ resources: ['secrets'], providers: [{ kms: { apiVersion: 'v2', name: 'vault', endpoint } }] }],
    })
  const dir = folder({ 'good.json': text(plugin.endpoint), 'bad.json': text('unix:/nowhere/kms.sock') })
  const below = memoryStore({ clock })
  const { store, checks, close } = await encryptBy(below, join(dir, 'good.json'), deps)
  t.after(close)
  const key = '/registry/core/secrets/default/a'
  await store.commit([{ type: 'put', key, value: Buffer.from('{}') }])
  assert.match((await below.get(key))!.value.toString('latin1'), /^k8s:enc:kms:v2:vault:/)
  assert.deepEqual(
    checks.map(({ name, check }) => [name, check()]),
    [['kms-providers', undefined]],
  )
  await assert.rejects(encryptBy(below, join(dir, 'bad.json'), deps), (error: UserError) => {
    assert.match(error.message, /bad\.json: the KMS plugin vault cannot be used: rpc error: code = Unavailable/)
    return true
  })
})
