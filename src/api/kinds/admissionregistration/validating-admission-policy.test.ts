import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ValidatingAdmissionPolicy } from './validating-admission-policy.ts'

type Status = NonNullable<ValidatingAdmissionPolicy['status']>

const cases: [status: unknown, errors: string[]][] = [
  [{ typeChecking: { expressionWarnings: [{ fieldRef: 'spec', warning: 'w' }] } }, []],
  [
    { typeChecking: { expressionWarnings: [{ fieldRef: 'spec' }, { warning: 'w' }] } },
    [
      'status.typeChecking.expressionWarnings[0].warning: Required value',
      'status.typeChecking.expressionWarnings[1].fieldRef: Required value',
    ],
  ],
  [
    { conditions: [{ type: 'A', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
    ['status.conditions[0].reason: Required value'],
  ],
]

for (const [status, errors] of cases) {
  test(`ValidatingAdmissionPolicy judges the status ${JSON.stringify(status)}`, () => {
    const old = { metadata: { name: 'a' } } as ValidatingAdmissionPolicy
    const next = { ...old, status: status as Status }
    const found = ValidatingAdmissionPolicy.rules!.flatMap(rule => rule(next, old, { subresource: 'status', now: 0 }))
    assert.deepEqual(
      found.map(({ field, message }) => `${field}: ${message}`),
      errors,
    )
  })
}
