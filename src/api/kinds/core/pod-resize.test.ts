import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod, ResourceRequirements } from '../../generated/types/core-v1.ts'
import type { Errors } from '../rules.ts'
import { podRules } from './pod.validate.ts'
import { checkResize, resizedSpec } from './pod-resize.ts'

const amounts = (cpu: string, memory: string): ResourceRequirements => ({
  requests: { cpu, memory },
  limits: { cpu, memory },
})
const container = (name: string, more: object = {}): Container => ({
  name,
  image: 'i',
  resources: amounts('1', '1Gi'),
  ...more,
})
const RESTART = [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }]
const old = (): Pod => ({
  spec: {
    initContainers: [
      container('side', { restartPolicy: 'Always' }),
      container('init'),
      container('again', { resizePolicy: RESTART }),
    ],
    containers: [container('a'), container('b', { resizePolicy: RESTART })],
  },
  status: { qosClass: 'Guaranteed' },
})

/** What is done to the pod, and what is said to that, as by a real server. */
const cases: [what: string, change: (pod: Pod) => void, errors: string[]][] = [
  ['more for a container', pod => void (pod.spec!.containers[0]!.resources = amounts('2', '2Gi')), []],
  ['more for a sidecar', pod => void (pod.spec!.initContainers![0]!.resources = amounts('2', '2Gi')), []],
  ['more for an init container', pod => void (pod.spec!.initContainers![1]!.resources = amounts('2', '2Gi')), []],
  [
    'another class',
    pod => void (pod.spec!.containers[0]!.resources!.requests = { cpu: '500m', memory: '1Gi' }),
    ['spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing'],
  ],
  [
    'another resource',
    pod => void (pod.spec!.containers[0]!.resources!.requests!['ephemeral-storage'] = '1Gi'),
    ['spec: Forbidden: only cpu and memory resources are mutable'],
  ],
  [
    'a limit gone',
    pod => {
      pod.status!.qosClass = 'Burstable'
      pod.spec!.containers[0]!.resources!.limits = { cpu: '1' }
    },
    ['spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed'],
  ],
  [
    'another policy',
    pod => void (pod.spec!.containers[1]!.resizePolicy = []),
    ['spec: Forbidden: only cpu and memory resources are mutable'],
  ],
  [
    'an init container that would have to be started again',
    pod => void (pod.spec!.initContainers![2]!.resources = amounts('2', '2Gi')),
    [
      'spec.initContainers[2]: Forbidden: non-sidecar init containers with a resize policy of RestartContainer cannot be resized',
    ],
  ],
  [
    'another resource of a sidecar',
    pod => void (pod.spec!.initContainers![0]!.resources!.requests!['ephemeral-storage'] = '1Gi'),
    ['spec.initContainers[0]: Forbidden: only cpu and memory resources for init or sidecar containers are mutable'],
  ],
  [
    'a container more',
    pod => void pod.spec!.containers.push(container('c')),
    ['spec.containers: Forbidden: containers may not be added or removed on resize'],
  ],
  [
    'another name',
    pod => void (pod.spec!.containers[1]!.name = 'c'),
    ['spec.containers[1].name: Forbidden: containers may not be renamed or reordered on resize'],
  ],
]

for (const [what, change, expected] of cases) {
  test(`checkResize: ${what}`, () => {
    const [next, before] = [old(), old()]
    change(next)
    before.status = next.status!
    const errors: Errors = []
    checkResize(next, before, errors)
    assert.deepEqual(
      errors.map(each => `${each.field}: ${each.message}`),
      expected,
    )
  })
}

test('checkResize refuses pods of Windows', () => {
  const before = old()
  before.spec!.os = { name: 'windows' }
  const errors: Errors = []
  checkResize(structuredClone(before), before, errors)
  assert.deepEqual(
    errors.map(each => `${each.field}: ${each.message}`),
    ['[]: Forbidden: windows pods cannot be resized'],
  )
})

test('podRules keep the parts of static pods as they are', () => {
  const mirror = old()
  mirror.metadata = { annotations: { 'kubernetes.io/config.mirror': 'hash' } }
  for (const [subresource, message] of [
    ['resize', 'Forbidden: static pods cannot be resized'],
    ['ephemeralcontainers', 'Forbidden: static pods do not support ephemeral containers'],
  ] as const) {
    const found = podRules.flatMap(rule => rule(structuredClone(mirror), mirror, { subresource, now: 0 }))
    assert.deepEqual(
      found.map(each => `${each.field}: ${each.message}`),
      [`[]: ${message}`],
    )
  }
})

test('checkResize wants a node that shows resources in the status', () => {
  const [next, before] = [old(), old()]
  const running = { name: 'a', state: { running: {} }, image: '', imageID: '', ready: true, restartCount: 0 }
  before.status!.containerStatuses = [running]
  const errors: Errors = []
  checkResize(next, before, errors)
  assert.deepEqual(
    errors.map(each => each.message),
    ['Forbidden: Pod running on node without support for resize'],
  )
})

test('checkResize keeps what a pod says of itself, and lets amounts change', () => {
  const [next, before] = [old(), old()]
  before.spec!.resources = amounts('4', '4Gi')
  for (const [resources, expected] of [
    [amounts('5', '5Gi'), []],
    [undefined, ['Forbidden: pod-level resources cannot be removed']],
    [{ limits: amounts('5', '5Gi').limits! }, ['Forbidden: pod-level resource requests cannot be removed']],
    [
      { requests: { ...amounts('5', '5Gi').requests, 'hugepages-2Mi': '2Mi' }, limits: amounts('5', '5Gi').limits! },
      ['Forbidden: only cpu and memory resources are mutable at pod-level'],
    ],
  ] as const) {
    next.spec = { ...before.spec!, ...(resources && { resources }) }
    if (!resources) delete next.spec.resources
    const errors: Errors = []
    checkResize(next, before, errors)
    assert.deepEqual(
      errors.filter(each => !each.message.includes('QOS')).map(each => each.message),
      expected,
    )
  }
})

test('resizedSpec takes resources and their policies, and nothing else', () => {
  const { spec } = old()
  const next = structuredClone(spec!)
  next.hostNetwork = true
  next.containers[0]!.image = 'other'
  next.containers[0]!.resources = amounts('2', '2Gi')
  const expected = structuredClone(spec!)
  expected.containers[0]!.resources = amounts('2', '2Gi')
  assert.deepEqual(resizedSpec(next, spec), expected)
  next.containers.push(container('c'))
  assert.equal(resizedSpec(next, spec), undefined)
})
