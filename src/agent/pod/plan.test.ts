import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Container, PodSpec } from '../../api/generated/types/core-v1.ts'
import type { ContainerStatus } from '../runtimes/runtime.ts'
import { type PlanSlot, planPod } from './plan.ts'
import { shouldRestart } from './restart.ts'

const instance = (state: ContainerStatus['state'], exitCode = 0): ContainerStatus => ({
  id: 'id',
  sandboxId: '',
  podUid: '',
  name: '',
  attempt: 0,
  state,
  image: 'image',
  imageId: '',
  annotations: {},
  createdAt: 0,
  startedAt: 0,
  finishedAt: 0,
  ...(state === 'exited' ? { exitCode } : {}),
})
const slot = (
  name: string,
  latest: ContainerStatus | undefined,
  more: Partial<PlanSlot> & { policy?: string } = {},
): PlanSlot => {
  const { policy, ...rest } = more
  const spec: Container = { name, image: 'image', ...(policy ? { restartPolicy: policy } : {}) }
  return { spec, init: false, latest, busy: false, started: true, failed: undefined, forced: false, wait: 0, ...rest }
}
const [none, running, done, failed] = [undefined, instance('running'), instance('exited'), instance('exited', 1)]
const spec = (restartPolicy: NonNullable<PodSpec['restartPolicy']>): PodSpec => ({ restartPolicy, containers: [] })

const cases: [
  string,
  PodSpec,
  PlanSlot[],
  { start?: string[]; stop?: string[]; backOff?: string[]; over?: boolean },
][] = [
  ['starts all main containers at once', spec('Always'), [slot('a', none), slot('b', none)], { start: ['a', 'b'] }],
  [
    'starts the first init container alone',
    spec('Always'),
    [slot('i', none, { init: true }), slot('j', none, { init: true }), slot('a', none)],
    { start: ['i'] },
  ],
  [
    'goes on after an init container that succeeded',
    spec('Never'),
    [slot('i', done, { init: true }), slot('a', none)],
    { start: ['a'] },
  ],
  [
    'repeats an init container that failed',
    spec('Always'),
    [slot('i', failed, { init: true }), slot('a', none)],
    { start: ['i'] },
  ],
  [
    'gives up with an init container that failed for good',
    spec('Never'),
    [slot('i', failed, { init: true }), slot('a', none)],
    { over: true },
  ],
  [
    'waits for a sidecar to have started',
    spec('Always'),
    [slot('s', running, { init: true, policy: 'Always', started: false }), slot('a', none)],
    {},
  ],
  [
    'restarts a sidecar beside running ones',
    spec('Never'),
    [slot('s', failed, { init: true, policy: 'Always' }), slot('a', running)],
    { start: ['s'] },
  ],
  ['restarts by policy', spec('OnFailure'), [slot('a', failed), slot('b', done)], { start: ['a'] }],
  ['waits for the back-off', spec('Always'), [slot('a', failed, { wait: 10 })], { backOff: ['a'] }],
  ['is over when nothing will run again', spec('OnFailure'), [slot('a', done), slot('b', done)], { over: true }],
  ['is not over while one runs', spec('Never'), [slot('a', failed), slot('b', running)], {}],
  ['leaves alone what is busy', spec('Always'), [slot('a', none, { busy: true })], {}],
  [
    'stops what a probe condemned',
    spec('Always'),
    [slot('a', running, { failed: 'liveness' })],
    { stop: ['Container a failed liveness probe, will be restarted'] },
  ],
  [
    'says no restart where there is none',
    spec('Never'),
    [slot('a', running, { failed: 'liveness' })],
    { stop: ['Container a failed liveness probe'] },
  ],
  [
    'starts anew what was stopped for its definition, whatever the policy',
    spec('Never'),
    [slot('a', failed, { forced: true }), slot('b', running)],
    { start: ['a'] },
  ],
]
for (const [title, pod, slots, expected] of cases) {
  it(`planPod ${title}`, () => {
    const plan = planPod(pod, slots)
    const got = { start: plan.start, stop: plan.stop.map(each => each.message), backOff: plan.backOff, over: plan.over }
    assert.deepEqual(got, { start: [], stop: [], backOff: [], over: false, ...expected })
  })
}

it('shouldRestart follows rules before policies', () => {
  const rule = { action: 'Restart', exitCodes: { operator: 'In', values: [42] } }
  const container: Container = { name: 'a', restartPolicy: 'Never', restartPolicyRules: [rule] }
  assert.equal(shouldRestart(container, spec('Always'), 42), true)
  assert.equal(shouldRestart(container, spec('Always'), 1), false)
})
