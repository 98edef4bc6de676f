import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { decodeProtobuf } from './decode.ts'
import { encodeProtobuf } from './encode.ts'
import { openEnvelope, sealEnvelope } from './envelope.ts'
import { messageName } from './message-name.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const CORE = 'io.k8s.api.core.v1'
const roundTrip = (name: string, object: object) => decodeProtobuf(name, encodeProtobuf(name, object))

const pod = {
  metadata: {
    name: 'web',
    labels: { app: 'web', 'a/b': '' },
    creationTimestamp: '2026-01-02T03:04:05Z',
    generation: 3,
    finalizers: ['x/y'],
    managedFields: [{ manager: 'm', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { '.': {} } } }],
  },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'c',
        image: 'host',
        args: ['', 'ü'],
        ports: [{ containerPort: 8080, protocol: 'TCP' }],
        env: [{ name: 'A', value: 'x'.repeat(300) }],
        resources: { limits: { cpu: '500m', memory: '64Mi' } },
        livenessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 10 },
        readinessProbe: { tcpSocket: { port: 8080 } },
        securityContext: { runAsUser: 0, privileged: false },
      },
    ],
    volumes: [{ name: 'v', configMap: { name: 'settings', defaultMode: 420, optional: true } }],
  },
  status: { startTime: '2026-01-02T03:04:05Z' },
}

test('decodeProtobuf reads back what encodeProtobuf wrote of a pod', () =>
  assert.deepEqual(roundTrip(`${CORE}.Pod`, pod), pod))

const values: [string, string, object][] = [
  ['bytes as base64', `${CORE}.Secret`, { data: { a: 'aGVsbG8=', empty: '' } }],
  [
    'micro times',
    'io.k8s.api.coordination.v1.Lease',
    { spec: { renewTime: '2026-01-02T03:04:05.123456Z', leaseDurationSeconds: 40 } },
  ],
  ['raw JSON', 'io.k8s.api.apps.v1.ControllerRevision', { data: { spec: { a: [1, null] } }, revision: 7 }],
  ['negative numbers', `${CORE}.PodSpec`, { priority: -2_000_000_000 }],
  ['numbers beyond 32 bits', `${CORE}.PodSecurityContext`, { runAsUser: 2 ** 40, fsGroup: 0 }],
  [
    'lists of strings that are messages',
    'io.k8s.api.authentication.v1.UserInfo',
    { username: 'u', extra: { scopes: ['a', 'b'] } },
  ],
  ['pointers to zero', 'io.k8s.api.apps.v1.DeploymentSpec', { replicas: 0, revisionHistoryLimit: 0 }],
  [
    'an empty storage class, which is not the same as none',
    `${CORE}.PersistentVolumeClaimSpec`,
    { storageClassName: '' },
  ],
]
for (const [title, name, value] of values)
  test(`protobuf keeps ${title}`, () => assert.deepEqual(roundTrip(name, value), value))

test('decodeProtobuf leaves out what Go writes for fields that were never set', () => {
  // ObjectMeta as Go encodes {name: "a"}: every plain string and number is written, the zero time as an empty message.
  const bytes = Uint8Array.from([0x0a, 1, 0x61, 0x12, 0, 0x1a, 0, 0x22, 0, 0x2a, 0, 0x32, 0, 0x38, 0, 0x42, 0])
  assert.deepEqual(decodeProtobuf(`${META}.ObjectMeta`, bytes), { name: 'a' })
})

test('decodeProtobuf passes over fields that it does not know', () => {
  const bytes = Uint8Array.from([0x0a, 1, 0x61, 0xfa, 0x3f, 2, 1, 2, 0xf8, 0x3f, 5])
  assert.deepEqual(decodeProtobuf(`${META}.ObjectMeta`, bytes), { name: 'a' })
})

test('decodeProtobuf refuses bytes that end early', () => {
  const bytes = encodeProtobuf(`${CORE}.Pod`, pod)
  for (const length of [1, 10, bytes.length - 1])
    assert.throws(() => decodeProtobuf(`${CORE}.Pod`, bytes.subarray(0, length)), RangeError)
})

test('openEnvelope reads what sealEnvelope wrote', () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { x: '1' } }
  const { apiVersion, kind, raw } = openEnvelope(sealEnvelope(`${CORE}.ConfigMap`, object))
  assert.deepEqual({ apiVersion, kind, ...decodeProtobuf(`${CORE}.ConfigMap`, raw) }, object)
})

test('openEnvelope reads usage, which is in amounts and times, as sealEnvelope wrote it', () => {
  const object = {
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind: 'PodMetrics',
    metadata: { name: 'a', labels: { app: 'a' } },
    timestamp: '2026-01-01T00:00:00Z',
    window: '1m0.25s',
    containers: [{ name: 'main', usage: { cpu: '1235n', memory: '5Mi' } }],
  }
  const name = messageName(object.apiVersion, object.kind)!
  const { apiVersion, kind, raw } = openEnvelope(sealEnvelope(name, object))
  assert.deepEqual({ apiVersion, kind, ...decodeProtobuf(name, raw) }, object)
})

test('openEnvelope refuses other bytes', () => {
  assert.throws(() => openEnvelope(Buffer.from('{"kind":"Pod"}')), /does not appear to be a protobuf message/)
  assert.throws(() => openEnvelope(new Uint8Array()), /empty data/)
})

test('messageName finds the message of every built-in kind that is stored, and of options in any group', async () => {
  const { kinds } = await import('../../kinds/all.ts')

  for (const { apiVersion, kind, virtual } of kinds)
    if (!virtual) assert.ok(messageName(apiVersion, kind), `${apiVersion} ${kind}`)
  assert.equal(messageName('apps/v1', 'DeleteOptions'), `${META}.DeleteOptions`)
  assert.equal(messageName('example.com/v1', 'Widget'), undefined)
})

/** Objects of every kind with fields filled at random, as Go's encoder wrote them, and their JSON by Go, without nulls. */
const golden = readFileSync(new URL('../../../../test/fixtures/protobuf.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as { object: { apiVersion: string; kind: string }; protobuf: string })

const withoutNulls = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, inner) => (inner === null ? undefined : inner)))

for (const { object, protobuf } of golden) {
  test(`decodeProtobuf reads a ${object.apiVersion} ${object.kind} that Go wrote, and encodeProtobuf writes the same`, () => {
    const { apiVersion, kind, raw } = openEnvelope(Buffer.from(protobuf, 'base64'))
    const name = messageName(apiVersion, kind)!
    const decoded = { apiVersion, kind, ...decodeProtobuf(name, raw) }
    assert.deepEqual(withoutNulls(decoded), object)
    assert.deepEqual(decodeProtobuf(name, encodeProtobuf(name, decoded)), decodeProtobuf(name, raw))
  })
}
