import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSpec } from '../generated/types/core-v1.ts'
import { hostPortsOf, portsClash } from './host-ports.ts'

const port = (ip: string, number = 80, protocol = 'TCP') => ({ ip, port: number, protocol })

test('hostPortsOf gives those of all containers, with what is meant where nothing is said', () => {
  const spec: PodSpec = {
    initContainers: [
      { name: 'sidecar', ports: [{ containerPort: 1, hostPort: 53, protocol: 'UDP', hostIP: '10.0.0.1' }] },
    ],
    containers: [{ name: 'main', ports: [{ containerPort: 80, hostPort: 80 }, { containerPort: 81 }] }],
  }
  assert.deepEqual(hostPortsOf(spec), [port('0.0.0.0'), port('10.0.0.1', 53, 'UDP')])
  assert.deepEqual(hostPortsOf(undefined), [])
})

for (const [what, other, clashes] of [
  ['the same', port('10.0.0.1'), true],
  ['every address', port('0.0.0.0'), true],
  ['another address', port('10.0.0.2'), false],
  ['another port', port('10.0.0.1', 81), false],
  ['another protocol', port('10.0.0.1', 80, 'UDP'), false],
] as const) {
  test(`portsClash: ${what}`, () => {
    assert.equal(portsClash(port('10.0.0.1'), other), clashes)
    assert.equal(portsClash(other, port('10.0.0.1')), clashes)
  })
}
