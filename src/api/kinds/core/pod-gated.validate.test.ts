import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSpec } from '../../generated/types/core-v1.ts'
import type { Errors } from '../rules.ts'
import { checkGatedUpdate } from './pod-gated.validate.ts'

const required = (...keys: string[]): PodSpec['affinity'] => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: keys.map(key => ({ key, operator: 'Exists' })) }],
    },
  },
})

const cases: [what: string, next: Partial<PodSpec>, old: Partial<PodSpec>, fields: string[]][] = [
  ['a label added to the node selector', { nodeSelector: { a: '1', b: '2' } }, { nodeSelector: { a: '1' } }, []],
  ['a label taken from the node selector', {}, { nodeSelector: { a: '1' } }, ['spec.nodeSelector']],
  ['a requirement added', { affinity: required('a', 'b')! }, { affinity: required('a')! }, []],
  [
    'a requirement taken away',
    { affinity: required('a')! },
    { affinity: required('a', 'b')! },
    ['spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]'],
  ],
  [
    'the affinity taken away',
    {},
    { affinity: required('a')! },
    ['spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'],
  ],
]

for (const [what, next, old, fields] of cases) {
  test(`checkGatedUpdate judges ${what}`, () => {
    const errors: Errors = []
    checkGatedUpdate(next as PodSpec, old as PodSpec, errors)
    assert.deepEqual(
      errors.map(({ field }) => field),
      fields,
    )
  })
}
