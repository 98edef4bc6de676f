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
import { bodyOf, objectOf, placeOf, type RecordedRequest, recordedRequests } from '../../fixtures/clients/recorded.ts'
import { again, isWatch, type RawAnswer, startOnPort } from './wire.ts'

const fixtures = join(import.meta.dirname, '../../fixtures/clients')

const read = (body: Buffer) => objectOf(body) as KubeObject

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
    const { metadata } = read((await send({ method: 'GET', path: placeOf(url).object! })).body)
    const { uid, resourceVersion } = metadata!
    const own = { ...object.metadata, ...(object.metadata.uid && { uid }), resourceVersion }
    return bodyOf({ ...object, metadata: own } as KubeObject, bytes)
  }

  for (const recorded of recordedRequests('operator')) {
    const { method, url, accept } = recorded
    await t.test(`${method} ${url.replace(/timeoutSeconds=\d+/, '')} is answered with ${recorded.status}`, async () => {
      const answer = await send(again(recorded, await current(recorded)))
      assert.equal(answer.status, recorded.status, answer.body.toString())
      const builtIn = !url.includes('web.example.test')
      if (accept?.startsWith('application/vnd.kubernetes.protobuf') && builtIn) assertProtobuf(answer, isWatch(url))
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
