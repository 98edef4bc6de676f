import assert from 'node:assert/strict'
import { type ClientHttp2Session, connect } from 'node:http2'
import { after, before, test } from 'node:test'
import { decodeProtobuf } from '../../../src/api/machinery/protobuf/decode.ts'
import { openEnvelope, sealEnvelope } from '../../../src/api/machinery/protobuf/envelope.ts'
import { messageName } from '../../../src/api/machinery/protobuf/message-name.ts'
import type { Listening } from '../../../src/apiserver/server.ts'
import { realClock } from '../../../src/lib/clock.ts'
import { makeTrust } from '../../../src/lib/pki/trust.fixture.ts'
import { configMap, type Loose, startApi, type TestApi } from './start.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const PROTOBUF = 'application/vnd.kubernetes.protobuf'

let api: TestApi
let listening: Listening
let session: ClientHttp2Session

before(async () => {
  const { authority, server } = await makeTrust()
  api = await startApi({}, realClock)
  listening = await api.server.listen({
    hosts: ['127.0.0.1'],
    port: 0,
    tls: { key: server.key, cert: server.certificate },
  })
  session = connect(`https://127.0.0.1:${listening.port}`, { ca: authority.certificate })
})

after(async () => {
  session.destroy()
  await api.server.close()
})

interface Reply {
  status: number
  type: string
  bytes: Buffer
}

function call(method: string, path: string, headers: Record<string, string>, body?: Uint8Array): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: false })
    const chunks: Buffer[] = []
    let reply = { status: 0, type: '' }
    stream.on('response', head => {
      reply = { status: Number(head[':status']), type: String(head['content-type']) }
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => resolve({ ...reply, bytes: Buffer.concat(chunks) }))
    stream.on('error', reject)
    stream.end(body)
  })
}

function open(bytes: Uint8Array): Loose {
  const { apiVersion, kind, raw } = openEnvelope(bytes)
  return { apiVersion, kind, ...decodeProtobuf(messageName(apiVersion, kind)!, raw) }
}

const seal = (object: { apiVersion?: string; kind?: string }) =>
  sealEnvelope(messageName(object.apiVersion ?? '', object.kind ?? '')!, object)

const ask = (method: string, path: string, body?: object, accept = `${PROTOBUF},application/json`) =>
  call(method, path, { accept, 'content-type': PROTOBUF }, body && seal(body))

/** What JSON says of the same. */
const json = async (path: string): Promise<Loose> => (await api.get(path)).object

test('an object is written, read and changed in protobuf', async () => {
  const created = await ask('POST', MAPS, configMap('a', { x: '1' }))
  assert.deepEqual([created.status, created.type], [201, PROTOBUF])
  const object = open(created.bytes)
  assert.deepEqual(object, await json(`${MAPS}/a`))
  const updated = await ask('PUT', `${MAPS}/a`, { ...object, data: { x: '2' } })
  assert.equal(open(updated.bytes).data.x, '2')
  assert.deepEqual(open((await ask('GET', `${MAPS}/a`)).bytes), await json(`${MAPS}/a`))
})

test('a list is the messages of its objects, one after the other', async () => {
  for (const name of ['l1', 'l2', 'l3']) await api.send('POST', MAPS, configMap(name, { name }))
  const { bytes, type } = await ask('GET', MAPS)
  assert.equal(type, PROTOBUF)
  const { items, ...list } = await json(MAPS)
  const untyped = items.map(({ apiVersion: _, kind: _k, ...item }: Loose) => item)
  assert.deepEqual(open(bytes), { ...list, items: untyped })
  const page = open((await ask('GET', `${MAPS}?limit=2`)).bytes)
  assert.equal(page.items.length, 2)
  assert.ok(page.metadata.continue)
})

test('an empty list has a head and nothing else', async () => {
  const { bytes } = await ask('GET', '/api/v1/namespaces/none/configmaps')
  const list = open(bytes)
  assert.deepEqual([list.kind, list.items], ['ConfigMapList', undefined])
})

test('refusals are a Status in protobuf, and JSON where the client accepts nothing that is offered', async () => {
  const missing = await ask('GET', `${MAPS}/none`)
  assert.deepEqual([missing.status, missing.type], [404, PROTOBUF])
  assert.equal(open(missing.bytes).reason, 'NotFound')
  const refused = await ask('GET', MAPS, undefined, 'application/cbor')
  assert.deepEqual([refused.status, refused.type], [406, 'application/json'])
  assert.equal(
    JSON.parse(refused.bytes.toString()).message,
    '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch',
  )
})

test('a Table for a client of protobuf comes as JSON, metadata alone as protobuf', async () => {
  const both = `${PROTOBUF};as=Table;g=meta.k8s.io;v=v1,application/json;as=Table;g=meta.k8s.io;v=v1`
  const table = await ask('GET', MAPS, undefined, both)
  assert.equal(JSON.parse(table.bytes.toString()).kind, 'Table')
  const partial = await ask('GET', MAPS, undefined, `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`)
  const list = open(partial.bytes)
  assert.equal(list.kind, 'PartialObjectMetadataList')
  const { items } = await json(MAPS)
  assert.deepEqual(
    list.items.map((item: Loose) => item.metadata),
    items.map((item: Loose) => item.metadata),
  )
})

test('an answer that cannot have the form that was asked for is refused', async () => {
  const single = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
  const { status, bytes } = await ask('GET', MAPS, undefined, single)
  assert.equal(status, 406)
  assert.equal(
    JSON.parse(bytes.toString()).message,
    'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)',
  )
})

/** The events in a stream of frames. */
function events(bytes: Buffer): { type: string; object: Loose }[] {
  const found: { type: string; object: Loose }[] = []
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    if (at + 4 + length > bytes.length) break
    const event = decodeWatchEvent(bytes.subarray(at + 4, at + 4 + length))
    found.push(event)
    at += 4 + length
  }
  return found
}

/** A WatchEvent by hand: its object is no JSON, as RawExtension's otherwise is. */
function decodeWatchEvent(bytes: Buffer): { type: string; object: Loose } {
  assert.equal(bytes[0], 10)
  const typeEnd = 2 + bytes[1]!
  assert.equal(bytes[typeEnd], 18)
  const magic = bytes.indexOf('k8s\0')
  return { type: bytes.subarray(2, typeEnd).toString(), object: open(bytes.subarray(magic)) }
}

test('a watch is frames of protobuf, errors and bookmarks too', async () => {
  const path = `${MAPS}?watch=1&allowWatchBookmarks=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`
  const stream = session.request({ ':path': path, accept: PROTOBUF })
  const head = await new Promise<Loose>(resolve => stream.on('response', resolve))
  assert.equal(head['content-type'], `${PROTOBUF};stream=watch`)
  const before = (await json(MAPS)).items.length
  const got = new Promise<Buffer>(resolve => {
    let all = Buffer.alloc(0)
    stream.on('data', (chunk: Buffer) => {
      all = Buffer.concat([all, chunk])
      if (events(all).length === before + 4) resolve(all)
    })
  })
  await api.send('POST', MAPS, configMap('w', { big: 'x'.repeat(70_000) }))
  await api.send('PUT', `${MAPS}/w`, configMap('w', { small: 'y' }))
  await api.send('DELETE', `${MAPS}/w`)
  const all = events(await got)
  const tail = all.slice(before)
  assert.deepEqual(
    tail.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`),
    ['BOOKMARK ', 'ADDED w', 'MODIFIED w', 'DELETED w'],
  )
  assert.equal(tail[1]!.object.data.big.length, 70_000)
  assert.equal(tail[0]!.object.metadata.annotations['k8s.io/initial-events-end'], 'true')
  stream.close()
  const expired = await call('GET', `${MAPS}?watch=1&resourceVersion=99999999`, { accept: PROTOBUF })
  const [event] = events(expired.bytes)
  assert.deepEqual([event?.type, event?.object.kind, event?.object.code], ['ERROR', 'Status', 410])
})

test('a watch in YAML is refused', async () => {
  const { status, bytes } = await ask('GET', `${MAPS}?watch=1`, undefined, 'application/yaml')
  assert.equal(status, 406)
  assert.match(bytes.toString(), /^message: .*application\/json;stream=watch, .*protobuf;stream=watch"?$/m)
})

test('DeleteOptions are read in protobuf, and the Status of a delete is written in it', async () => {
  await api.send('POST', MAPS, configMap('gone'))
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'other' } }
  const refused = await ask('DELETE', `${MAPS}/gone`, options)
  assert.equal(open(refused.bytes).reason, 'Conflict')
  const done = await ask('DELETE', `${MAPS}/gone`, { apiVersion: 'v1', kind: 'DeleteOptions' })
  assert.equal(open(done.bytes).status, 'Success')
})

test('patches are answered in protobuf, and so is a scale', async () => {
  const apps = '/apis/apps/v1/namespaces/default/deployments'
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const spec = { selector: { matchLabels: { a: 'b' } }, template }
  await ask('POST', apps, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec } as object)
  const patch = Buffer.from('{"spec":{"replicas":3}}')
  const headers = { accept: PROTOBUF, 'content-type': 'application/strategic-merge-patch+json' }
  const patched = await call('PATCH', `${apps}/d`, headers, patch)
  assert.deepEqual(open(patched.bytes), await json(`${apps}/d`))
  const scale = open((await ask('GET', `${apps}/d/scale`)).bytes)
  assert.deepEqual([scale.apiVersion, scale.kind, scale.spec.replicas], ['autoscaling/v1', 'Scale', 3])
})

test('an object that leaves its type out is taken for what the path says', async () => {
  const { status } = await call(
    'POST',
    MAPS,
    { accept: PROTOBUF, 'content-type': PROTOBUF },
    sealEnvelope('io.k8s.api.core.v1.ConfigMap', { metadata: { name: 'untyped' } } as object),
  )
  assert.equal(status, 201)
})
