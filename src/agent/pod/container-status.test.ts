import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerStatus, Pod } from '../../api/generated/types/core-v1.ts'
import type { ContainerStatus as Instance } from '../runtimes/runtime.ts'
import { type ContainerView, containerStatus, lostOf } from './container-status.ts'

const instance = (state: Instance['state'], more: Partial<Instance> = {}): Instance => ({
  id: 'id',
  sandboxId: '',
  podUid: '',
  name: 'c',
  attempt: 0,
  state,
  image: 'image',
  imageId: '',
  annotations: {},
  createdAt: 0,
  startedAt: 1000,
  finishedAt: 2000,
  ...(state === 'exited' ? { exitCode: 0, reason: 'Completed' } : {}),
  ...more,
})
const view = (instances: Instance[], more: Partial<ContainerView> = {}): ContainerView => ({
  spec: { name: 'c', image: 'image' },
  sort: 'main',
  instances,
  started: false,
  ready: false,
  given: undefined,
  inForce: true,
  ...more,
})
const status = (of: ContainerView, old?: Partial<ContainerStatus>, terminal = false) => {
  const pod: Pod = old ? { status: { containerStatuses: [{ ...BLANK, ...old }] } } : {}
  return containerStatus(pod, of, 'ContainerCreating', { terminal, runtime: 'process', recursiveReadOnly: true })
}
const BLANK: ContainerStatus = { name: 'c', image: '', imageID: '', ready: false, restartCount: 0 }
const times = { startedAt: '1970-01-01T00:00:01Z', finishedAt: '1970-01-01T00:00:02Z' }
const completed = { exitCode: 0, reason: 'Completed', ...times, containerID: 'process://id' }

test('containerStatus: one that is made and not started waits as one that is not made', () => {
  const waiting = { waiting: { reason: 'ContainerCreating' } }
  assert.deepEqual(status(view([])).state, waiting)
  const made = status(view([instance('created')]))
  assert.deepEqual([made.state, made.containerID], [waiting, undefined])
})

test('containerStatus has the end of the instance before as the last state', () => {
  const found = status(view([instance('running', { id: 'new', attempt: 1 }), instance('exited')]))
  assert.deepEqual(found.state, { running: { startedAt: times.startedAt } })
  assert.deepEqual([found.lastState, found.restartCount], [{ terminated: completed }, 1])
})

test('containerStatus: one that waits for its restart shows its end as the last state', () => {
  const waiting = { reason: 'CrashLoopBackOff', message: 'back-off' }
  const found = status(view([instance('exited')], { waiting }))
  assert.deepEqual([found.state, found.lastState], [{ waiting }, { terminated: completed }])
})

test('containerStatus: an end that was told as one for want of memory stays it, where its runtime does not know that', () => {
  const oom = { terminated: { ...completed, exitCode: 137, reason: 'OOMKilled' } }
  const ended = (more: Partial<Instance> = {}) => instance('exited', { exitCode: 137, reason: 'Error', ...more })
  const again = instance('running', { id: 'new', attempt: 1 })
  assert.deepEqual(status(view([ended()]), { state: oom }).state, oom)
  assert.deepEqual(status(view([again, ended()]), { state: oom }).lastState, oom)
  assert.deepEqual(status(view([again, ended()]), { lastState: oom }).lastState, oom)
  const waiting = { reason: 'CrashLoopBackOff' }
  assert.deepEqual(status(view([ended()], { waiting }), { state: { waiting }, lastState: oom }).lastState, oom)
  const reasons = [ended({ id: 'other' }), ended({ reason: 'ContainerCannotRun' })].map(
    each => status(view([each]), { state: oom }).state?.terminated?.reason,
  )
  assert.deepEqual(reasons, ['Error', 'ContainerCannotRun'])
})

test('containerStatus: what the runtime lost has ended, and counts as a restart where it starts again', () => {
  const lost = lostOf({ ...BLANK, restartCount: 2, state: { running: { startedAt: times.startedAt } } })
  assert.equal(lost?.terminated.reason, 'ContainerStatusUnknown')
  const again = status(view([], { lost }))
  assert.deepEqual([again.lastState?.terminated?.exitCode, again.restartCount], [137, 3])
  assert.equal(again.state?.waiting?.reason, 'ContainerCreating')
  const over = status(view([], { lost }), undefined, true)
  assert.deepEqual([over.state?.terminated?.exitCode, over.restartCount], [137, 2])
  assert.equal(lostOf({ ...BLANK, state: { waiting: {} } }), undefined)
  assert.equal(lostOf(undefined), undefined)
})

test('containerStatus shows amounts that are in force, and the old ones while they are not', () => {
  const given = { requests: { cpu: '2' }, limits: { cpu: '4' } }
  const running = [instance('running')]
  assert.deepEqual(status(view(running, { given })).resources, given)
  const old = { resources: { requests: { cpu: '1' } } }
  const found = status(view(running, { given, inForce: false }), old)
  assert.deepEqual([found.resources, found.allocatedResources], [old.resources, given.requests])
})

test('containerStatus of an ephemeral container has no probes and no resources', () => {
  const found = status(view([instance('running')], { sort: 'ephemeral', ready: true, started: true }))
  assert.deepEqual([found.ready, 'started' in found, 'resources' in found], [false, false, false])
})

test('containerStatus says whom the process runs as', () => {
  const user = { uid: 5, gid: 6, supplementalGroups: [6, 7] }
  assert.deepEqual(status(view([instance('running', { user })])).user, { linux: user })
  const none = { uid: 0, gid: 0, supplementalGroups: [] }
  assert.deepEqual(status(view([instance('running', { user: none })])).user, { linux: { uid: 0, gid: 0 } })
})
