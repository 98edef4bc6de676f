import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { byAverage, byShare, byUtilization, byValue, type Situation } from './replicas.ts'

const NOW = Date.UTC(2026, 0, 1)
const at = (secondsAgo: number) => rfc3339(NOW - secondsAgo * 1_000)

/** `state`: its phase, or since how many seconds it is ready (`ready`) or not (`unready`), of 1,000 that it runs. */
interface Like {
  readonly state?: 'Pending' | 'Failed' | 'ending'
  readonly started?: number
  readonly ready?: number
  readonly unready?: number
}

function pod(name: string, { state, started = 1_000, ready = 900, unready }: Like = {}): Pod {
  const isReady = unready === undefined && state === undefined
  const requests = { cpu: '100m', memory: '1Ki' }
  return {
    metadata: { name, ...(state === 'ending' && { deletionTimestamp: at(1) }) },
    spec: {
      containers: [
        { name: 'main', resources: { requests } },
        { name: 'side', resources: { requests } },
      ],
    },
    status: {
      phase: state === 'Pending' || state === 'Failed' ? state : 'Running',
      startTime: at(started),
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: at(unready ?? ready) }],
    },
  } as Pod
}

/** Pods p0, p1, … and what they use (thousandths; undefined: nothing is known). */
function given(likes: readonly (readonly [used: number | undefined, like?: Like])[], wanted = likes.length) {
  const situation: Situation = {
    wanted,
    had: wanted,
    pods: likes.map(([, like], i) => pod(`p${i}`, like)),
    tolerance: { up: 0.1, down: 0.1 },
    now: NOW,
  }
  const samples = new Map(
    likes.flatMap(([value], i) =>
      value === undefined ? [] : [[`p${i}`, { value, time: NOW, window: 10_000 }] as const],
    ),
  )
  return [situation, samples] as const
}

describe('byUtilization', () => {
  const cpu = { resource: 'cpu', container: undefined, percent: 50 }
  // Each pod asks for 200m and is to use 100m.
  const cases: [title: string, Parameters<typeof given>[0], replicas: number][] = [
    ['as many as the ratio says', [[200], [200], [200]], 6],
    ['fewer where they use little', [[20], [20], [20], [20]], 1],
    ['as many as there are within the tolerance', [[109], [110]], 2],
    ['a pod of which nothing is known counts as idle when others are busy', [[300], [undefined]], 3],
    ['and as busy when others are idle', [[10], [10], [undefined]], 3],
    ['nothing is known of so many that nothing changes', [[105], [150], [undefined]], 3],
    ['a pending pod counts as idle when others are busy', [[300], [undefined, { state: 'Pending' }]], 3],
    ['what ends or has failed does not count', [[200], [900, { state: 'ending' }], [900, { state: 'Failed' }]], 2],
    ['a pod that starts does not count', [[100], [900, { started: 20, unready: 20 }]], 2],
    ['nor one whose sample is of the time before it was ready', [[100], [900, { started: 20, ready: 5 }]], 2],
    ['nor one that was never ready', [[100], [900, { started: 400, unready: 399 }]], 2],
    ['one that was ready once counts', [[100], [300, { started: 400, unready: 10 }]], 4],
  ]
  for (const [title, likes, replicas] of cases)
    test(title, () => assert.equal(byUtilization(...given(likes), cpu).replicas, replicas))

  test('tells what is used, on average and of what is asked for', () => {
    const { average, percent } = byUtilization(...given([[150], [151]]), cpu)
    assert.deepEqual([average, percent], [150, 75])
  })
  test('a container of each is weighed by its own request', () => {
    assert.equal(byUtilization(...given([[200], [200]]), { ...cpu, container: 'main' }).replicas, 8)
    assert.throws(() => byUtilization(...given([[200]]), { ...cpu, container: 'x' }), {
      message: 'container x not found in Pod p0',
    })
  })
  test('says what is missing', () => {
    assert.throws(() => byUtilization(...given([[200]]), { ...cpu, resource: 'disk' }), {
      message: 'missing request for disk in container main of Pod p0',
    })
    assert.throws(() => byUtilization(...given([]), cpu), {
      message: 'no pods returned by selector while calculating replica count',
    })
    assert.throws(() => byUtilization(...given([[undefined, { state: 'Pending' }]]), cpu), {
      message: 'did not receive metrics for targeted pods (pods might be unready)',
    })
  })
})

test('byAverage aims at an average of the pods', () => {
  assert.deepEqual(byAverage(...given([[300], [500]]), 100), { replicas: 8, average: 400 })
  assert.deepEqual(byAverage(...given([[300], [undefined]]), 100), { replicas: 3, average: 300 })
})

test('byValue aims at one value', () => {
  const [situation] = given([[0], [0]])
  assert.deepEqual(
    [100, 105, 250, 10].map(used => byValue(situation, used, 100)),
    [2, 2, 5, 1],
  )
})

test('byShare gives each pod its share of a value', () => {
  const [situation] = given([[0], [0]])
  assert.deepEqual(byShare(situation, 950, 100), { replicas: 10, average: 475 })
  assert.deepEqual(byShare(situation, 205, 100), { replicas: 2, average: 103 })
})
