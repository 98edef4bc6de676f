import assert from 'node:assert/strict'
import { request as httpsRequest } from 'node:https'
import { after, before, test } from 'node:test'
import { type Audit, createAudit } from '../../../src/apiserver/audit/audit.ts'
import { readPolicy } from '../../../src/apiserver/audit/policy.ts'
import { realClock } from '../../../src/lib/clock.ts'
import { settled } from '../../../src/lib/virtual-clock.ts'
import { startWire, type WireServer } from '../proxy/wire.ts'

const POLICY = `
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: None, nonResourceURLs: [/metrics]}
- {level: Metadata, resources: [{resources: [secrets]}]}
- {level: RequestResponse, resources: [{resources: [configmaps]}], omitManagedFields: true}
- {level: Request, omitStages: [RequestReceived]}
`
const NAMESPACE = '/api/v1/namespaces/default'

interface Event {
  level: string
  stage: string
  auditID: string
  requestURI: string
  verb: string
  user: { username: string; groups: string[] }
  impersonatedUser?: { username: string }
  sourceIPs?: string[]
  userAgent?: string
  objectRef?: Record<string, string>
  responseStatus?: { code: number; reason?: string; message?: string }
  // biome-ignore lint/suspicious/noExplicitAny: any object of the API
  requestObject?: any
  // biome-ignore lint/suspicious/noExplicitAny: any object of the API
  responseObject?: any
  annotations?: Record<string, string>
}

let api: WireServer
let audit: Audit
const events: Event[] = []

before(async () => {
  let last = 0
  audit = createAudit({
    policy: await readPolicy(POLICY),
    backends: [{ take: line => void events.push(JSON.parse(line)), close: async () => {} }],
    clock: realClock,
    uuid: () => `id-${++last}`,
  })
  api = await startWire({ audit })
})
after(() => api.close())

const JSON_TYPE = { 'content-type': 'application/json' }
/** What is noted while `work` runs. */
async function noted(work: () => Promise<unknown>): Promise<Event[]> {
  const from = events.length
  await work()
  return events.slice(from)
}

test('the audit log has requests and answers as the policy says, without managed fields', async () => {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { x: '1' } })
  const [received, complete, ...more] = await noted(() =>
    api.fetch('POST', `${NAMESPACE}/configmaps?fieldManager=me`, body, { ...JSON_TYPE, 'user-agent': 'test/1' }),
  )
  assert.equal(more.length, 0)
  assert.deepEqual([received!.stage, received!.responseStatus], ['RequestReceived', undefined])
  const { stage, level, verb, user, objectRef, sourceIPs, userAgent, requestURI, annotations } = complete!
  assert.deepEqual([stage, level, verb, userAgent], ['ResponseComplete', 'RequestResponse', 'create', 'test/1'])
  assert.equal(requestURI, `${NAMESPACE}/configmaps?fieldManager=me`)
  assert.deepEqual([user.username, sourceIPs], ['kubernetes-admin', ['127.0.0.1']])
  assert.deepEqual(objectRef, { resource: 'configmaps', namespace: 'default', name: 'a', apiVersion: 'v1' })
  assert.equal(complete!.requestObject.data.x, '1')
  assert.equal(complete!.requestObject.metadata.uid, undefined)
  assert.ok(complete!.responseObject.metadata.uid)
  assert.equal(complete!.responseObject.metadata.managedFields, undefined)
  assert.equal(complete!.responseStatus?.code, 201)
  assert.equal(annotations?.['authorization.k8s.io/decision'], 'allow')
  assert.equal(received!.auditID, complete!.auditID)
})

test('the audit log leaves out what is not to be known, and what nobody asked for', async () => {
  const body = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    stringData: { p: 'hidden' },
  })
  const secret = await noted(() => api.fetch('POST', `${NAMESPACE}/secrets`, body, JSON_TYPE))
  assert.equal(secret.length, 2)
  assert.ok(!JSON.stringify(secret).includes('hidden'))
  assert.deepEqual(await noted(() => api.fetch('GET', '/metrics')), [])
  const others = await noted(() => api.fetch('GET', `${NAMESPACE}/pods`))
  assert.deepEqual(
    others.map(({ stage, level }) => [stage, level]),
    [['ResponseComplete', 'Request']],
  )
})

test('the audit log has who could not be let in, and who may not', async () => {
  const [denied] = await noted(() => api.fetch('GET', `${NAMESPACE}/pods`, undefined, { 'impersonate-user': 'bob' }))
  assert.deepEqual([denied!.user.username, denied!.impersonatedUser?.username], ['kubernetes-admin', 'bob'])
  assert.deepEqual([denied!.responseStatus?.code, denied!.responseStatus?.reason], [403, 'Forbidden'])
  assert.equal(denied!.annotations?.['authorization.k8s.io/decision'], 'forbid')
  const [unknown] = await noted(
    () =>
      new Promise<void>((resolve, reject) => {
        const options = {
          host: '127.0.0.1',
          port: api.port,
          path: `${NAMESPACE}/pods`,
          ca: api.admin.ca,
          headers: { authorization: 'Bearer nobody' },
          agent: false as const,
        }
        const request = httpsRequest(options, response => {
          response.resume()
          response.on('end', () => resolve())
        })
        request.on('error', reject)
        request.end()
      }),
  )
  assert.deepEqual([unknown!.user.username, unknown!.responseStatus?.code], ['', 401])
})

test('the audit log has the beginning and the end of a watch', async () => {
  const seen = await noted(async () => {
    const id = { 'audit-id': 'mine' }
    const ended = api.fetch('GET', `${NAMESPACE}/configmaps?watch=1&timeoutSeconds=1`, undefined, id)
    while (!events.some(({ stage, auditID }) => stage === 'ResponseStarted' && auditID === 'mine')) await settled()
    await api.clock.advance(1000)
    await ended
  })
  assert.deepEqual(
    seen.map(({ stage, auditID }) => [stage, auditID]),
    [
      ['RequestReceived', 'mine'],
      ['ResponseStarted', 'mine'],
      ['ResponseComplete', 'mine'],
    ],
  )
})

test('an answer says under which name it is noted', async () => {
  const reply = await api.fetch('GET', `${NAMESPACE}/configmaps/a`, undefined, { 'audit-id': 'own' })
  assert.equal(reply.headers['audit-id'], 'own')
})
