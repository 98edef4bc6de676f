import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerStatus, Pod, PodSpec, ResourceRequirements } from '../../api/generated/types/core-v1.ts'
import { allocationOf, differs, restoreAllocation, wholeResources, withAllocation } from './allocation.ts'

const both = (cpu: string): ResourceRequirements => ({ requests: { cpu }, limits: { cpu } })
const pod = (spec: Partial<PodSpec>, statuses: Partial<ContainerStatus>[] = [], status: object = {}): Pod => ({
  spec: { containers: [], ...spec },
  status: { containerStatuses: statuses as ContainerStatus[], ...status },
})
const main = (resources?: ResourceRequirements) => ({ name: 'main', ...(resources && { resources }) })

test('withAllocation puts what was given in place of what is asked for, and leaves the rest', () => {
  const before = pod({ containers: [main(both('1')), { name: 'other' }], resources: both('2') })
  const given = allocationOf(before)
  assert.equal(withAllocation(before, given), before)
  const after = pod({ containers: [main(both('3')), { name: 'other' }], resources: both('4'), hostname: 'h' })
  assert.ok(differs(after, given))
  assert.deepEqual(withAllocation(after, given).spec, { ...before.spec, hostname: 'h' })
})

test('restoreAllocation finds what was given in the status', () => {
  const told = { name: 'main', resources: both('1'), allocatedResources: { cpu: '1' } }
  const resized = pod({ containers: [main(both('2'))] }, [told])
  assert.deepEqual(restoreAllocation(resized).get('main'), both('1'))
  assert.ok(differs(resized, restoreAllocation(resized)))
})

test('restoreAllocation: a change under way counts as given where requests say so', () => {
  const told = { name: 'main', resources: both('1'), allocatedResources: { cpu: '2' } }
  const found = restoreAllocation(pod({ containers: [main(both('2'))] }, [told])).get('main')
  assert.deepEqual(found, { requests: { cpu: '2' }, limits: { cpu: '1' } })
})

test('restoreAllocation: what the status does not tell is as it is asked for', () => {
  const bare = pod({ containers: [main(both('2')), { name: 'none' }] }, [{ name: 'none', resources: {} }])
  assert.ok(!differs(bare, restoreAllocation(bare)))
})

test('restoreAllocation finds what the pod as a whole was given', () => {
  const resized = pod({ containers: [main()], resources: both('4') }, [], { resources: both('2') })
  assert.deepEqual(restoreAllocation(resized).get(''), both('2'))
})

test('wholeResources adds up containers where the pod says nothing of itself', () => {
  assert.deepEqual(wholeResources(pod({ containers: [main(both('1')), { name: 'b', resources: both('500m') }] })), {
    requests: { cpu: '1500m' },
    limits: { cpu: '1500m' },
  })
  assert.deepEqual(wholeResources(pod({ containers: [main()] })), {})
})
