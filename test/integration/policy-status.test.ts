import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ValidatingAdmissionPolicy } from '../../src/api/kinds/admissionregistration/validating-admission-policy.ts'
import { startCluster } from '../../src/cmd/testing.ts'

const policy = (expression: string): ValidatingAdmissionPolicy => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name: 'p' },
  spec: {
    matchConstraints: {
      resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }],
    },
    validations: [{ expression }],
  },
})

test('ValidatingAdmissionPolicy is type checked, once for each generation', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 0 })
  const policies = cluster.objects<ValidatingAdmissionPolicy>('ValidatingAdmissionPolicy')
  const read = () => policies.get({ name: 'p', namespace: '' })
  await cluster.create(policy("object.spec.replicas > '1'"))
  await cluster.until(async () => (await read()).status?.observedGeneration === 1)
  const found = await read()
  assert.deepEqual(
    found.status?.typeChecking?.expressionWarnings?.map(({ fieldRef }) => fieldRef),
    ['spec.validations[0].expression'],
  )
  await policies.update({ ...found, spec: policy('object.spec.replicas > 1').spec } as ValidatingAdmissionPolicy)
  await cluster.until(async () => (await read()).status?.observedGeneration === 2)
  assert.deepEqual((await read()).status?.typeChecking, {})
})
