import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HorizontalPodAutoscalerSpec, HPAScalingRules } from '../../api/generated/types/autoscaling-v2.ts'
import { SCALE_DOWN, SCALE_UP } from '../../api/kinds/autoscaling/scaling-rules.ts'
import { allow, createHistory, noteScale } from './rates.ts'

const S = 1_000

function spec(scaleUp?: HPAScalingRules, scaleDown?: HPAScalingRules): HorizontalPodAutoscalerSpec {
  const behavior = {
    scaleUp: { ...SCALE_UP, ...scaleUp },
    scaleDown: { ...SCALE_DOWN, ...scaleDown },
  }
  const scaleTargetRef = { kind: 'Deployment', name: 'web' }
  return { scaleTargetRef, maxReplicas: 100, ...((scaleUp || scaleDown) && { behavior }) }
}

/** Follows wishes [seconds, wish] from 10 replicas on; answers replicas and the reasons of the conditions each time. */
function follow(of: HorizontalPodAutoscalerSpec, wishes: readonly (readonly [number, number])[], begin = 10, min = 1) {
  const history = createHistory(begin, 0)
  let current = begin
  return wishes.map(([seconds, desired]) => {
    const now = seconds * S
    const { replicas, able, limited } = allow(history, of, { current, desired, min, now })
    if (replicas !== current) noteScale(history, of, { from: current, to: replicas, now })
    current = replicas
    return [replicas, able[0], limited.why[0], limited.is]
  })
}

const READY = 'ReadyForNewScale'
const HELD = 'ScaleDownStabilized'
const WITHIN = 'DesiredWithinRange'
const pods = (value: number, periodSeconds: number) => ({ type: 'Pods', value, periodSeconds })
const percent = (value: number, periodSeconds: number) => ({ type: 'Percent', value, periodSeconds })

const cases: readonly (readonly [string, ReturnType<typeof follow>, ReturnType<typeof follow>])[] = [
  [
    'goes up at once, by twice as many at most',
    follow(spec(), [
      [15, 12],
      [30, 90],
      [45, 90],
    ]),
    [
      [12, READY, WITHIN, false],
      [24, READY, 'ScaleUpLimit', true],
      [48, READY, 'ScaleUpLimit', true],
    ],
  ],
  ['goes from one to four', follow(spec(), [[15, 9]], 1), [[4, READY, 'ScaleUpLimit', true]]],
  [
    'goes down when nothing of five minutes speaks against it',
    follow(spec(), [
      [15, 2],
      [299, 3],
      [316, 2],
    ]),
    [
      [10, HELD, WITHIN, false],
      [10, HELD, WITHIN, false],
      [3, HELD, WITHIN, false],
    ],
  ],
  [
    'keeps to the bounds',
    follow(
      spec(),
      [
        [15, 900],
        [30, 900],
        [45, 900],
        [60, 900],
      ],
      30,
    ),
    [
      [60, READY, 'ScaleUpLimit', true],
      [100, READY, 'TooManyReplicas', true],
      [100, READY, 'TooManyReplicas', true],
      [100, READY, 'TooManyReplicas', true],
    ],
  ],
  [
    'keeps to the least, too',
    follow(spec({}, { stabilizationWindowSeconds: 0 }), [[15, 1]], 10, 3),
    [[3, READY, 'TooFewReplicas', true]],
  ],
  [
    'adds so many pods in a period',
    follow(spec({ policies: [pods(4, 60)] }), [
      [15, 50],
      [30, 50],
      [76, 50],
    ]),
    [
      [14, READY, 'ScaleUpLimit', true],
      [14, READY, 'ScaleUpLimit', true],
      [18, READY, 'ScaleUpLimit', true],
    ],
  ],
  [
    'takes the policy that lets the most come, or the least',
    [
      ...follow(spec({ policies: [pods(4, 15), percent(150, 15)] }), [[15, 50]]),
      ...follow(spec({ selectPolicy: 'Min', policies: [pods(4, 15), percent(150, 15)] }), [[15, 50]]),
      ...follow(spec({ selectPolicy: 'Disabled' }), [[15, 50]]),
    ],
    [
      [25, READY, 'ScaleUpLimit', true],
      [14, READY, 'ScaleUpLimit', true],
      [10, READY, 'ScaleUpLimit', true],
    ],
  ],
  [
    'takes away by share of what there was when the period began',
    follow(spec({}, { stabilizationWindowSeconds: 0, policies: [percent(25, 60)] }), [
      [15, 1],
      [30, 1],
      [80, 1],
    ]),
    [
      [7, READY, 'ScaleDownLimit', true],
      [7, READY, 'ScaleDownLimit', true],
      [5, READY, 'ScaleDownLimit', true],
    ],
  ],
  [
    'waits before it goes up where it is told to',
    follow(spec({ stabilizationWindowSeconds: 60 }), [
      [15, 12],
      [59, 14],
      [61, 14],
      [76, 14],
    ]),
    [
      [10, 'ScaleUpStabilized', WITHIN, false],
      [10, 'ScaleUpStabilized', WITHIN, false],
      [12, 'ScaleUpStabilized', WITHIN, false],
      [14, READY, WITHIN, false],
    ],
  ],
]

for (const [title, found, expected] of cases) test(`allow ${title}`, () => assert.deepEqual(found, expected))
