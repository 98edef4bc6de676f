/** What a failed pod means for its Job by spec.podFailurePolicy (KEP-3329). */
import type { PodFailurePolicyRule } from '../../api/generated/types/batch-v1.ts'
import type { Job } from '../../api/kinds/batch/job.ts'
import type { Pod } from '../../api/kinds/core/pod.ts'

export interface Verdict {
  readonly action: PodFailurePolicyRule['action']
  /** Why, for FailJob. */
  readonly message: string
}

const COUNT: Verdict = { action: 'Count', message: '' }

/** The first rule that matches decides; none: it counts. */
export function judgeFailure(job: Job, pod: Pod): Verdict {
  if (pod.status?.phase !== 'Failed') return COUNT
  for (const [index, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const what = byExitCode(rule, pod) ?? byCondition(rule, pod)
    if (what) return { action: rule.action, message: `${what} matching ${rule.action} rule at index ${index}` }
  }
  return COUNT
}

function byExitCode({ onExitCodes }: PodFailurePolicyRule, pod: Pod): string | undefined {
  if (!onExitCodes) return undefined
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
  for (const { name, state } of statuses) {
    const code = state?.terminated?.exitCode
    if (!code || (onExitCodes.containerName && onExitCodes.containerName !== name)) continue
    if (onExitCodes.values.includes(code) === (onExitCodes.operator === 'In')) {
      return `Container ${name} for pod ${pod.metadata?.namespace}/${pod.metadata?.name} failed with exit code ${code}`
    }
  }
  return undefined
}

function byCondition({ onPodConditions }: PodFailurePolicyRule, pod: Pod): string | undefined {
  for (const { type, status = 'True' } of onPodConditions ?? []) {
    if (pod.status?.conditions?.some(each => each.type === type && each.status === status)) {
      return `Pod ${pod.metadata?.namespace}/${pod.metadata?.name} has condition ${type}`
    }
  }
  return undefined
}
