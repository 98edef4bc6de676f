/**
 * Checks the expressions of ValidatingAdmissionPolicies against the schemas of the kinds that they are about, once for
 * each generation, and tells in the status what does not fit. CEL is loaded with the first policy.
 */
import { ValidatingAdmissionPolicy } from '../../api/kinds/admissionregistration/validating-admission-policy.ts'
import { CustomResourceDefinition } from '../../api/kinds/apiextensions/custom-resource-definition.ts'
import type { CheckedSpec } from '../../api/policies/type-check.ts'
import type { Client } from '../../client/client.ts'
import type { Informers } from '../../client/informers.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import type { Component } from '../../control/lifetime.ts'
import { workOff } from '../../control/work-off.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'

export interface PolicyStatusDeps {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes the component. */
export const policyStatusController = (deps: PolicyStatusDeps): Component => ({
  name: 'validatingadmissionpolicy-status-controller',
  run: signal => run(deps, signal),
})

async function run(deps: PolicyStatusDeps, signal: AbortSignal): Promise<void> {
  const queue = createWorkQueue<string>(deps.clock)
  const policies = deps.informers.of<ValidatingAdmissionPolicy>(ValidatingAdmissionPolicy)
  const definitions = deps.informers.of<CustomResourceDefinition>(CustomResourceDefinition)
  const end = policies.onChange(({ current }) => {
    if (current !== undefined && isDue(current)) queue.add(current.metadata?.name ?? '')
  })
  async function work(name: string) {
    const policy = policies.get(name)
    if (policy !== undefined && isDue(policy)) await check(deps.client, policy, definitions.list())
  }
  const { logger } = deps
  await workOff(queue, { work, what: 'policy', problem: 'a policy was not checked', logger }, signal)
  end()
}

const isDue = ({ metadata, status }: ValidatingAdmissionPolicy): boolean =>
  (metadata?.generation ?? 0) > (status?.observedGeneration ?? 0)

async function check(
  client: Client,
  policy: ValidatingAdmissionPolicy,
  definitions: readonly CustomResourceDefinition[],
): Promise<void> {
  const { expressionWarnings } = await import('../../api/policies/type-check.ts')
  const { kindCatalog } = await import('./catalog.ts')
  const warnings = expressionWarnings((policy.spec ?? {}) as CheckedSpec, kindCatalog(definitions))
  const typeChecking = warnings.length > 0 ? { expressionWarnings: warnings } : {}
  const status = { ...policy.status, observedGeneration: policy.metadata?.generation ?? 0, typeChecking }
  await client.kind(ValidatingAdmissionPolicy).updateStatus({ ...policy, status } as ValidatingAdmissionPolicy)
}
