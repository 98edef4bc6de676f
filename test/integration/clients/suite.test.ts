/**
 * What the official conformance suite sent, byte for byte, is answered again as it was: one request of each form, in
 * protobuf and JSON, each to an object that stands as it stood then.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../src/api/machinery/object.ts'
import { bodyOf, objectOf, placeOf, type RecordedRequest, recordedRequests } from '../../fixtures/clients/recorded.ts'
import { again, startOnPort } from './wire.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

/** What a request needs beside its own object, by path of the list. */
const SURROUNDINGS: readonly [string, object][] = [
  [
    '/apis/scheduling.k8s.io/v1/priorityclasses',
    { metadata: { name: 'sched-preemption-high-priority' }, value: 1_000_000 },
  ],
]
const LEFT_OUT = [
  // The answer depends on what a controller has counted.
  /^POST .*\/pods\/rs-[^/]*\/eviction 429$/,
  // The server itself writes it, with an address of the loopback, which nobody else may.
  /^GET \/api\/v1\/namespaces\/default\/endpoints\/kubernetes /,
]

/** As somebody would have created it. */
function fresh(text: string): KubeObject & { status?: unknown } {
  const object = JSON.parse(text)
  if (object.kind === 'Job') {
    // They carry the uid of the first.
    delete object.spec.selector
    delete object.spec.template.metadata.labels
  }
  for (const field of ['uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp', 'generation', 'selfLink'])
    delete object.metadata[field]
  delete object.metadata.deletionGracePeriodSeconds
  return object
}

test('the official suite is answered as it was when it was recorded', async t => {
  const { send } = await startOnPort(t, { controllers: false, nodes: 0 })
  const sendJson = (method: string, path: string, value: unknown, type: string = JSON_TYPE['content-type']) =>
    send({ method, path, headers: { 'content-type': type }, body: Buffer.from(JSON.stringify(value)) })
  const namespaces = new Set<string>()

  async function needNamespace(name: string) {
    if (namespaces.has(name)) return
    namespaces.add(name)
    await sendJson('POST', '/api/v1/namespaces', { metadata: { name } })
    await sendJson('POST', `/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: 'default' } })
  }

  async function remove(object: string) {
    if ((await send({ method: 'GET', path: object })).status !== 200) return
    await sendJson('PATCH', object, { metadata: { finalizers: null } }, 'application/merge-patch+json')
    await sendJson('DELETE', object, { gracePeriodSeconds: 0, propagationPolicy: 'Background' })
  }

  /** Makes the object stand as it stood. */
  async function restore(list: string, object: string, before: string) {
    const wanted = fresh(before)
    if (list === '/api/v1/namespaces') return needNamespace(wanted.metadata!.name!)
    await remove(object)
    const made = await sendJson('POST', list, wanted)
    assert.equal(made.status, 201, `${object}: ${made.body}`)
    if (!wanted.status) return
    await sendJson('PATCH', `${object}/status`, { status: wanted.status }, 'application/merge-patch+json')
  }

  /** The body with the uid and version that the object has here. */
  async function current(recorded: RecordedRequest, object: string | undefined): Promise<Buffer> {
    const bytes = Buffer.from(recorded.body ?? '', 'base64')
    if (!object || recorded.status === 409 || !['PUT', 'PATCH', 'DELETE', 'POST'].includes(recorded.method))
      return bytes
    const standing = await send({ method: 'GET', path: object })
    if (standing.status !== 200) return bytes
    const { metadata } = JSON.parse(standing.body.toString()) as KubeObject
    let body: (KubeObject & { preconditions?: { uid?: string; resourceVersion?: string } }) | unknown[]
    try {
      body = objectOf(bytes) as typeof body
    } catch {
      return bytes
    }
    if (Array.isArray(body)) return bytes
    const { uid } = body.metadata ?? {}
    const text = JSON.stringify(body)
    // Jobs carry it in their labels, too.
    const changed = JSON.parse(uid ? text.replaceAll(uid, metadata!.uid!) : text) as typeof body
    delete changed.metadata?.deletionTimestamp
    delete changed.metadata?.deletionGracePeriodSeconds
    for (const identity of [changed.metadata, changed.preconditions]) {
      if (identity?.uid) identity.uid = metadata!.uid!
      if (identity?.resourceVersion) identity.resourceVersion = metadata!.resourceVersion!
    }
    if (JSON.stringify(changed) === JSON.stringify(body)) return bytes
    return bodyOf(changed as KubeObject, bytes)
  }

  for (const [path, object] of SURROUNDINGS) assert.equal((await sendJson('POST', path, object)).status, 201)
  const differ: string[] = []
  for (const recorded of recordedRequests('suite')) {
    const { method, url, accept, contentType, status } = recorded
    const { namespace, list, name, object } = placeOf(url)
    if (LEFT_OUT.some(each => each.test(`${method} ${url} ${status}`))) continue
    if (namespace) await needNamespace(namespace)
    else if (list === '/api/v1/namespaces' && name && status < 400) await needNamespace(name)
    if (object && recorded.before) await restore(list, object, recorded.before)
    const body = await current(recorded, object)
    if (method === 'POST' && !object && body.length > 0 && status === 201) {
      // It may stand since it was restored for another request.
      const { metadata } = objectOf(body) as KubeObject
      if (metadata?.name) await remove(`${list}/${metadata.name}`)
    }
    const answer = await send(again(recorded, body))
    const told = `${method} ${url} ${contentType ?? ''}: ${answer.status} instead of ${status}`
    if (answer.status !== status) differ.push(`${told} ${answer.body.toString('latin1').slice(0, 300)}`)
    else if (accept?.startsWith('application/vnd.kubernetes.protobuf'))
      assert.match(answer.contentType, /^application\/vnd\.kubernetes\.protobuf/, told)
  }
  assert.deepEqual(differ, [])
})
