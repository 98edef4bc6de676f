import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFlowControl } from '../../../src/apiserver/flow-control/filter.ts'
import { parseRequestInfo } from '../../../src/apiserver/http/request-info.ts'
import type { Answer, ServerRequest } from '../../../src/apiserver/request.ts'
import { silent } from '../../../src/lib/log.ts'
import { type Loose, startApi, type TestApi } from './start.ts'

const GROUP = '/apis/flowcontrol.apiserver.k8s.io/v1'
const ANYTHING = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }

const level = (name: string, limited: object) => ({
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  kind: 'PriorityLevelConfiguration',
  metadata: { name },
  spec: { type: 'Limited', limited },
})

const schema = (name: string, of: string, matchingPrecedence: number, groups: readonly string[]) => ({
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  kind: 'FlowSchema',
  metadata: { name },
  spec: {
    matchingPrecedence,
    priorityLevelConfiguration: { name: of },
    distinguisherMethod: { type: 'ByUser' },
    rules: [{ subjects: groups.map(group => ({ kind: 'Group', group: { name: group } })), resourceRules: [ANYTHING] }],
  },
})

/** A request of a user, and what becomes of it. */
function requestOf(name: string, groups: readonly string[] = ['users']): ServerRequest {
  const path = '/api/v1/namespaces/default/configmaps/a'
  return {
    method: 'GET',
    path,
    query: new URLSearchParams(),
    headers: {},
    body: { type: 'none' },
    signal: new AbortController().signal,
    info: parseRequestInfo('GET', path, new URLSearchParams()),
    user: { name, groups },
    warn() {},
    warnings: [],
  }
}

/** Flow control over the registry of `api`, before a handler whose answers are given by hand. */
function controlled(api: TestApi) {
  const control = createFlowControl({
    registry: api.server.registry,
    clock: api.clock,
    logger: silent,
    held: () => undefined,
  })
  const begun: string[] = []
  const finish: (() => void)[] = []
  const handler = control.filter(
    request =>
      new Promise<Answer>(resolve => {
        begun.push(request.user.name)
        finish.push(() => resolve({ status: 200, type: 'value', value: {} }))
      }),
  )
  return { control, begun, finish, send: (request: ServerRequest) => handler(request) }
}

test('a flow schema may have any name', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const { status, object } = await api.send('POST', `${GROUP}/flowschemas`, schema('constructor', 'exempt', 500, ['a']))
  assert.equal(status, 201, object.message)
})

const settled = () => new Promise<void>(resolve => setImmediate(resolve))

async function narrow(t: { after(fn: () => void): void }): Promise<TestApi> {
  const api = await startApi()
  t.after(() => api.server.close())
  // catch-all, which always is, takes 5 shares: of 600 seats this level gets 2, and everything else hardly any.
  const queuing = { queues: 32, handSize: 4, queueLengthLimit: 50 }
  await api.send(
    'POST',
    `${GROUP}/prioritylevelconfigurations`,
    level('wide', { nominalConcurrencyShares: 1500, limitResponse: { type: 'Reject' } }),
  )
  await api.send(
    'POST',
    `${GROUP}/prioritylevelconfigurations`,
    level('narrow', { nominalConcurrencyShares: 5, limitResponse: { type: 'Queue', queuing } }),
  )
  await api.send('POST', `${GROUP}/flowschemas`, schema('people', 'narrow', 500, ['users']))
  return api
}

test('one greedy client does not starve others of its level', async t => {
  const api = await narrow(t)
  const { begun, finish, send, control } = controlled(api)
  t.after(control.close)
  for (let i = 0; i < 100; i++) void send(requestOf('greedy'))
  void send(requestOf('modest'))
  await settled()
  assert.deepEqual(begun, ['greedy', 'greedy'])
  for (let turn = 0; turn < 8 && !begun.includes('modest'); turn++) {
    finish.shift()!()
    await settled()
  }
  assert.ok(begun.includes('modest'), `${begun.length} of the greedy client came first`)
})

test('the cluster comes first: its own clients do not wait for others', async t => {
  const api = await narrow(t)
  await api.send('POST', `${GROUP}/flowschemas`, schema('system', 'wide', 400, ['system:nodes']))
  const { begun, send, control } = controlled(api)
  t.after(control.close)
  for (let i = 0; i < 100; i++) void send(requestOf('greedy'))
  void send(requestOf('system:node:a', ['system:nodes']))
  void send(requestOf('admin', ['system:masters']))
  await settled()
  assert.deepEqual(begun, ['greedy', 'greedy', 'system:node:a', 'admin'])
})

test('what finds no place is told to come again, in plain text', async t => {
  const api = await narrow(t)
  const { send, control, finish } = controlled(api)
  t.after(control.close)
  const answers = Array.from({ length: 2 + 4 * 50 + 1 }, () => send(requestOf('greedy')))
  const refused = (await answers.at(-1)) as Loose
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1'])
  assert.equal(refused.bytes.toString(), 'Too many requests, please try again later.\n')
  finish.shift()!()
  assert.equal((await answers[0])?.status, 200)
})

test('a change of the configuration counts from the next request on', async t => {
  const api = await narrow(t)
  const { send, control, begun } = controlled(api)
  t.after(control.close)
  const before = requestOf('ann')
  void send(before)
  assert.equal((before.flow as Loose).flow.name, 'people')
  await api.send('DELETE', `${GROUP}/flowschemas/people`)
  const after = requestOf('ann')
  void send(after)
  assert.equal((after.flow as Loose).flow.name, 'catch-all')
  assert.deepEqual(begun, ['ann', 'ann'])
})

test('a FlowSchema says in its status whether its level exists', async t => {
  const api = await narrow(t)
  await api.send('POST', `${GROUP}/flowschemas`, schema('lost', 'nowhere', 500, ['users']))
  await settled()
  const condition = async (name: string) => {
    const { conditions } = (await api.get(`${GROUP}/flowschemas/${name}`)).object.status
    const [{ type, status, reason, message }] = conditions
    return { type, status, reason, message }
  }
  const head = 'This FlowSchema references the PriorityLevelConfiguration object named'
  assert.deepEqual(await condition('people'), {
    type: 'Dangling',
    status: 'False',
    reason: 'Found',
    message: `${head} "narrow" and it exists`,
  })
  assert.deepEqual(await condition('lost'), {
    type: 'Dangling',
    status: 'True',
    reason: 'NotFound',
    message: `${head} "nowhere" but there is no such object`,
  })
  await api.send(
    'POST',
    `${GROUP}/prioritylevelconfigurations`,
    level('nowhere', { limitResponse: { type: 'Reject' } }),
  )
  await settled()
  assert.equal((await condition('lost')).status, 'False')
})
