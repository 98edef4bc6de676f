/** The status of a definition, as a function of what it says and of the other definitions. */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionStatus,
} from '../../api/generated/types/apiextensions-v1.ts'
import { approvalOf, isProtectedGroup } from '../../api/kinds/apiextensions/approval.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { equalJson } from '../../lib/json.ts'
import { isCaBundle } from './ca-bundle.ts'
import { settleNames } from './naming.ts'

type Condition = Omit<CustomResourceDefinitionCondition, 'lastTransitionTime'>

const ACCEPTED: Condition = {
  type: 'NamesAccepted',
  status: 'True',
  reason: 'NoConflicts',
  message: 'no conflicts found',
}
const ESTABLISHED: Condition = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
}
const NOT_ACCEPTED: Condition = {
  type: 'Established',
  status: 'False',
  reason: 'NotAccepted',
  message: 'not all names are accepted',
}
const BAD_BUNDLE: Condition = {
  type: 'Established',
  status: 'False',
  reason: 'InvalidCABundle',
  message: 'The conversion webhook CABundle is invalid',
}

/** The conditions with one of them set. The time is that of the last change of its status. */
export function withCondition(
  conditions: readonly CustomResourceDefinitionCondition[],
  condition: Condition,
  now: number,
): CustomResourceDefinitionCondition[] {
  const at = conditions.findIndex(each => each.type === condition.type)
  const known = conditions[at]
  const lastTransitionTime =
    known?.status === condition.status && known.lastTransitionTime ? known.lastTransitionTime : rfc3339(now)
  const { type, status, ...rest } = condition
  const next = { type, status, lastTransitionTime, ...rest }
  return at < 0 ? [...conditions, next] : conditions.with(at, next)
}

function established(definition: CustomResourceDefinition, accepted: boolean): Condition | undefined {
  const known = definition.status?.conditions?.find(each => each.type === 'Established')
  if (known?.status === 'True') return undefined
  if (!accepted) return known ? undefined : NOT_ACCEPTED
  const bundle = definition.spec.conversion?.webhook?.clientConfig?.caBundle
  return bundle && !isCaBundle(bundle) ? BAD_BUNDLE : ESTABLISHED
}

function approval({ spec, metadata }: CustomResourceDefinition): Condition | undefined {
  if (!isProtectedGroup(spec.group)) return undefined
  const { status, reason, message } = approvalOf(metadata?.annotations)
  return { type: 'KubernetesAPIApprovalPolicyConformant', status, reason, message }
}

/** The status that a definition is to have; its own one where nothing changes. `now` in ms since the epoch. */
export function statusOf(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  now: number,
): CustomResourceDefinitionStatus {
  const old = definition.status ?? {}
  const { names, conflict } = settleNames(definition, others)
  const wanted = [
    conflict ? { type: 'NamesAccepted', status: 'False', ...conflict } : ACCEPTED,
    established(definition, !conflict),
    approval(definition),
  ]
  let conditions = old.conditions ?? []
  for (const condition of wanted) if (condition) conditions = withCondition(conditions, condition, now)
  const next = { ...old, conditions, acceptedNames: names }
  return equalJson(next, old) ? old : next
}
