import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod, PodSpec } from '../api/generated/types/core-v1.ts'
import { refusalOf } from './admission.ts'

const ALLOCATABLE = { cpu: '2', memory: '1Gi', pods: '3', 'example.com/dongle': '1' }
const NODE: Node = {
  metadata: { name: 'n', labels: { disk: 'ssd' } },
  spec: {
    taints: [
      { key: 'gone', effect: 'NoExecute' },
      { key: 'full', effect: 'NoSchedule' },
    ],
  },
}
const STAYS = [{ key: 'gone', operator: 'Exists' as const }]

const pod = (spec: Partial<PodSpec>, requests: Record<string, string> = {}, annotations = {}): Pod => ({
  metadata: { name: 'p', annotations },
  spec: { tolerations: STAYS, containers: [{ name: 'main', resources: { requests } }], ...spec },
})
const port = { containers: [{ name: 'main', ports: [{ containerPort: 80, hostPort: 80 }] }] }
const OTHERS = [pod({}, { cpu: '1', 'example.com/dongle': '1' }), pod(port)]
const AFFINITY = { nodeSelector: { disk: 'spinning' } }
const SELECTION = "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
const TAINT = "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"

for (const [what, asked, expected] of [
  ['takes one that fits', pod({ nodeSelector: { disk: 'ssd' } }, { cpu: '1', memory: '1Gi' }), undefined],
  [
    'refuses one for which there is too little',
    pod(AFFINITY, { cpu: '1500m' }),
    "OutOfcpu: Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
  ],
  [
    'refuses one for which there is too little of what others have written',
    pod({}, { 'example.com/dongle': '1' }),
    "OutOfexample.com/dongle: Node didn't have enough resource: example.com/dongle, requested: 1, used: 1, capacity: 1",
  ],
  ['minds no resource that the node does not have', pod({}, { 'example.com/other': '7' }), undefined],
  ['refuses one with another selector', pod(AFFINITY), SELECTION],
  [
    'refuses one with another affinity',
    pod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'DoesNotExist' }] }],
          },
        },
      },
    }),
    SELECTION,
  ],
  [
    'refuses one whose port is taken',
    pod(port),
    "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
  ],
  ['refuses one that does not tolerate that it would be ended', pod({ tolerations: [] }), TAINT],
  [
    'takes what is its own whatever its taints',
    pod({ tolerations: [] }, {}, { 'kubernetes.io/config.source': 'file' }),
    undefined,
  ],
] as const)
  test(`refusalOf ${what}`, () => {
    const found = refusalOf(asked, OTHERS, NODE, ALLOCATABLE)
    assert.equal(found && `${found.reason}: ${found.message}`, expected)
  })
