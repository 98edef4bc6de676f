/**
 * What an operator built on controller-runtime sent, byte for byte, is answered again as it was: leases, events,
 * streaming lists, creates, updates, patches, applies and deletes in protobuf and JSON. Only uids and
 * resourceVersions, which differ from server to server, are put right.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { KubeObject } from '../../../src/api/machinery/object.ts'
import { parseProtobuf, protobufOf } from '../../../src/api/machinery/protobuf.ts'
import { type RecordedRequest, recordedRequests } from '../../fixtures/clients/recorded.ts'
import { type RawAnswer, startOnPort } from './wire.ts'

const MAGIC = 'k8s\0'
const fixtures = join(import.meta.dirname, '../../fixtures/clients')

/** The object of a body, in either form. */
function read(body: Buffer): KubeObject {
  const isProtobuf = body.subarray(0, 4).toString('latin1') === MAGIC
  return (isProtobuf ? parseProtobuf(body) : JSON.parse(body.toString())) as KubeObject
}

function write(object: KubeObject, like: Buffer): Buffer {
  const isProtobuf = like.subarray(0, 4).toString('latin1') === MAGIC
  return isProtobuf ? protobufOf(object) : Buffer.from(JSON.stringify(object))
}

test('an operator of controller-runtime is answered as it was when it was recorded', async t => {
  const { cluster, send } = await startOnPort(t, { controllers: false }) // the garbage collector would miss the recorded owners
  await cluster.create(parse(readFileSync(join(fixtures, 'operator-crd.yaml'), 'utf8')))
  await cluster.until(() => send({ method: 'GET', path: '/apis/web.example.test/v1/sites' }).then(found))

  /** The body with the uid and version that the object has here. */
  async function current({ method, url, body = '', contentType = '', status }: RecordedRequest): Promise<Buffer> {
    const bytes = Buffer.from(body, 'base64')
    const versioned = method === 'PUT' || (method === 'PATCH' && contentType.includes('merge-patch'))
    if (!versioned || status === 409) return bytes
    const object = read(bytes)
    if (!object.metadata?.resourceVersion) return bytes
    const path = url.replace(/\?.*/, '').replace(/\/status$/, '')
    const { metadata } = read((await send({ method: 'GET', path })).body)
    const { uid, resourceVersion } = metadata!
    return write(
      {
        ...object,
        metadata: { ...object.metadata, ...(object.metadata.uid && { uid }), resourceVersion },
      } as KubeObject,
      bytes,
    )
  }

  for (const recorded of recordedRequests('operator')) {
    const { method, url, accept, contentType } = recorded
    await t.test(`${method} ${url.replace(/timeoutSeconds=\d+/, '')} is answered with ${recorded.status}`, async () => {
      const body = await current(recorded)
      const headers = { ...(accept && { accept }), ...(contentType && { 'content-type': contentType }) }
      const watches = url.includes('watch=true')
      const answer = await send({
        method,
        path: url,
        headers,
        ...(body.length > 0 && { body }),
        ...(watches && { until: whole => whole.length > 4 && whole.length >= 4 + whole.readUInt32BE(0) }),
      })
      assert.equal(answer.status, recorded.status, answer.body.toString())
      const builtIn = !url.includes('web.example.test')
      if (accept?.startsWith('application/vnd.kubernetes.protobuf') && builtIn) assertProtobuf(answer, watches)
      else assert.match(answer.contentType, /^application\/json/)
    })
  }
})

function found({ status }: RawAnswer) {
  assert.equal(status, 200)
}

function assertProtobuf(answer: RawAnswer, watches: boolean) {
  assert.match(answer.contentType, /^application\/vnd\.kubernetes\.protobuf/)
  if (watches) assert.match(answer.contentType, /stream=watch/)
  else assert.ok(read(answer.body).kind)
}
