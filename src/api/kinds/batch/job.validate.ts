/** Rules of Job (k8s.io/kubernetes `pkg/apis/batch/validation`). */
import type { Job, JobSpec, PodFailurePolicyRule } from '../../generated/types/batch-v1.ts'
import type { Container, PodSpec } from '../../generated/types/core-v1.ts'
import {
  duplicate,
  invalid,
  invalidUnsaid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { selectorFromLabelSelector, validateLabelSelector } from '../../machinery/label-selector.ts'
import { isDns1123Label, regexError } from '../../machinery/names.ts'
import { checkPodTemplate } from '../core/pod-spec.validate.ts'
import type { Errors } from '../rules.ts'
import {
  check,
  checkEnum,
  checkQualifiedName,
  checkSubdomain,
  checkSupported,
  IMMUTABLE,
  immutable,
  nonNegative,
  onObject,
  onStatus,
  sameValue,
} from '../rules.ts'
import {
  CONTROLLER_UID_LABEL,
  JOB_NAME_LABEL,
  LEGACY_CONTROLLER_UID_LABEL,
  LEGACY_JOB_NAME_LABEL,
} from './job.strategy.ts'
import { jobStatusRules } from './job-status.validate.ts'
import { checkSuccess } from './success-policy.validate.ts'

const MAX_PARALLEL_INDEXES = 100_000

/** One of the values; what is missing is told with all of them. */
function checkListed(value: string | undefined, values: readonly string[], path: string, errors: Errors): void {
  if (value) checkEnum(value, values, path, errors)
  else errors.push(required(path, `valid values: [${values.map(each => JSON.stringify(each)).join(' ')}]`))
}

function checkIndexed(spec: JobSpec, path: string, errors: Errors): void {
  const mode = spec.completionMode
  const onlyIndexed = (field: 'backoffLimitPerIndex' | 'maxFailedIndexes' | 'successPolicy') => {
    const value = spec[field]
    if (value !== undefined) errors.push(invalid(`${path}.${field}`, value, 'requires indexed completion mode'))
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  }
  if (mode === undefined || mode === 'NonIndexed') {
    onlyIndexed('backoffLimitPerIndex')
    onlyIndexed('maxFailedIndexes')
  }
  if (mode === 'Indexed') checkIndexedLimits(spec, path, errors)
  else onlyIndexed('successPolicy')
}

/** Above this many completions limits are tighter. */
const MANY_COMPLETIONS = 100_000
const MANY_COMPLETIONS_LIMIT = 10_000

function checkIndexedLimits(spec: JobSpec, path: string, errors: Errors): void {
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'))
  if (parallelism > MAX_PARALLEL_INDEXES) {
    const wanted = `must be less than or equal to ${MAX_PARALLEL_INDEXES} when completion mode is Indexed`
    errors.push(invalid(`${path}.parallelism`, parallelism, wanted))
  }
  const at = `${path}.maxFailedIndexes`
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    errors.push(invalid(at, maxFailedIndexes, 'must be less than or equal to completions'))
  }
  if (maxFailedIndexes !== undefined && maxFailedIndexes > MAX_PARALLEL_INDEXES) {
    errors.push(invalid(at, maxFailedIndexes, `must be less than or equal to ${MAX_PARALLEL_INDEXES}`))
  }
  if ((completions ?? 0) <= MANY_COMPLETIONS || backoffLimitPerIndex === undefined) return
  const tighter = `must be less than or equal to ${MANY_COMPLETIONS_LIMIT} when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`
  if (maxFailedIndexes === undefined) {
    errors.push(required(at, `must be specified when completions is above ${MANY_COMPLETIONS}`))
  }
  if (parallelism > MANY_COMPLETIONS_LIMIT) errors.push(invalid(`${path}.parallelism`, parallelism, tighter))
  if (maxFailedIndexes !== undefined && maxFailedIndexes > MANY_COMPLETIONS_LIMIT) {
    errors.push(invalid(at, maxFailedIndexes, tighter))
  }
}

function checkFailureRule(rule: PodFailurePolicyRule, spec: JobSpec, path: string, errors: Errors): void {
  const { action, onExitCodes, onPodConditions = [] } = rule
  checkListed(action, ['Count', 'FailIndex', 'FailJob', 'Ignore'], `${path}.action`, errors)
  if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalid(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set'))
  }
  for (const [index, { type, status }] of onPodConditions.entries()) {
    checkQualifiedName(type ?? '', `${path}.onPodConditions[${index}].type`, errors)
    checkListed(status, ['False', 'True', 'Unknown'], `${path}.onPodConditions[${index}].status`, errors)
  }
  if (Boolean(onExitCodes) === Boolean(onPodConditions.length)) {
    const what = onExitCodes
      ? 'specifying both OnExitCodes and OnPodConditions is not supported'
      : 'specifying one of OnExitCodes and OnPodConditions is required'
    errors.push(invalidUnsaid(path, what))
  }
  if (onExitCodes) checkExitCodes(onExitCodes, spec, `${path}.onExitCodes`, errors)
}

function checkExitCodes(
  { operator, values: said, containerName }: NonNullable<PodFailurePolicyRule['onExitCodes']>,
  { template }: JobSpec,
  path: string,
  errors: Errors,
): void {
  const values = said ?? []
  checkListed(operator, ['In', 'NotIn'], `${path}.operator`, errors)
  const containers = [...(template?.spec?.containers ?? []), ...(template?.spec?.initContainers ?? [])]
  if (containerName !== undefined && !containers.some(({ name }) => name === containerName)) {
    const wanted = 'must be one of the container or initContainer names in the pod template'
    errors.push(invalid(`${path}.containerName`, containerName, wanted))
  }
  if (!values.length) errors.push(invalid(`${path}.values`, said, 'at least one value is required'))
  else if (values.length > 255) errors.push(tooMany(`${path}.values`, values.length, 255))
  for (const [index, code] of values.entries()) {
    if (operator === 'In' && code === 0) {
      errors.push(invalid(`${path}.values[${index}]`, code, 'must not be 0 for the In operator'))
    }
    if (values.indexOf(code) < index) errors.push(duplicate(`${path}.values[${index}]`, code))
  }
  if (values.some((code, index) => index > 0 && values[index - 1]! > code)) {
    errors.push(invalid(`${path}.values`, values, 'must be ordered'))
  }
}

const MAX_MANAGED_BY = 63

/** The name of a controller: `example.com/name`. */
function checkManagedBy(name: string | undefined, path: string, errors: Errors): void {
  if (name === undefined) return
  if (!name) errors.push(required(path))
  else {
    const slash = name.indexOf('/')
    const [domain, rest] = [name.slice(0, slash), name.slice(slash + 1)]
    if (slash < 0 || !domain || !rest) {
      errors.push(invalid(path, name, 'must be a domain-prefixed path (such as "acme.io/foo")'))
    } else {
      checkSubdomain(domain, path, errors)
      if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(rest)) {
        errors.push(invalid(path, rest, regexError('Invalid path', "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+")))
      }
    }
  }
  if (name.length > MAX_MANAGED_BY) errors.push(tooLong(path, MAX_MANAGED_BY))
}

/** What a Job and the job of a CronJob have in common. `root` is the path of the spec. */
export function checkPolicies(spec: JobSpec, root: string, errors: Errors): void {
  checkSupported(spec.completionMode, ['NonIndexed', 'Indexed'], `${root}.completionMode`, errors)
  checkIndexed(spec, root, errors)
  const rules = spec.podFailurePolicy?.rules ?? []
  if (rules.length > 20) errors.push(tooMany(`${root}.podFailurePolicy.rules`, rules.length, 20))
  for (const [index, rule] of rules.entries()) {
    checkFailureRule(rule, spec, `${root}.podFailurePolicy.rules[${index}]`, errors)
  }
  checkManagedBy(spec.managedBy, `${root}.managedBy`, errors)
  if (spec.completionMode === 'Indexed') checkSuccess(spec, `${root}.successPolicy`, errors)
  const allowed = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
  checkSupported(spec.podReplacementPolicy, allowed, `${root}.podReplacementPolicy`, errors)
  const path = `${root}.template.spec.restartPolicy`
  const policy = spec.template?.spec?.restartPolicy
  if (!policy || policy === 'Always') {
    // The message names the values; which of them is meant is the author's choice.
    errors.push(required(path, 'valid values: "OnFailure", "Never"'))
  } else if (policy !== 'OnFailure' && policy !== 'Never') {
    errors.push(notSupported(path, policy, ['OnFailure', 'Never']))
  } else if (spec.podFailurePolicy && policy !== 'Never') {
    errors.push(invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified'))
  }
}

/** The server's own labels are on the template, and the selector is made of them. */
function checkGenerated({ spec, metadata }: Job, errors: Errors, old: Job | undefined): void {
  if (!spec?.selector || spec.manualSelector) return
  const { uid = '', name = '' } = metadata ?? {}
  const labels = spec.template?.metadata?.labels ?? {}
  // Jobs of old have only the labels without a domain.
  const before = old?.spec?.template?.metadata?.labels
  const prefixed = !old || (before?.[JOB_NAME_LABEL] !== undefined && before[CONTROLLER_UID_LABEL] !== undefined)
  const wanted = {
    [LEGACY_CONTROLLER_UID_LABEL]: uid,
    [LEGACY_JOB_NAME_LABEL]: name,
    ...(prefixed && { [CONTROLLER_UID_LABEL]: uid, [JOB_NAME_LABEL]: name }),
  }
  const path = 'spec.template.metadata.labels'
  for (const [key, value] of Object.entries(wanted)) {
    if (labels[key] === undefined) errors.push(required(`${path}[${key}]`, `must be '${value}'`))
    else if (labels[key] !== value) errors.push(invalid(`${path}[${key}]`, labels, `must be '${value}'`))
  }
  if (!selectorFromLabelSelector(spec.selector).matches(wanted)) {
    errors.push(invalid('spec.selector', spec.selector, '`selector` not auto-generated'))
  }
}

function checkSelector({ selector, template }: JobSpec, errors: Errors): void {
  if (!selector) {
    errors.push(required('spec.selector'))
  }
  const problems = selector ? validateLabelSelector(selector, 'spec.selector') : []
  errors.push(...problems)
  const labels = template?.metadata?.labels
  if (!problems.length && !selectorFromLabelSelector(selector).matches(labels ?? {})) {
    errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'))
  }
}

function checkJob(job: Job, errors: Errors, old: Job | undefined): void {
  const { spec, metadata } = job
  if (!spec) {
    errors.push(required('spec.template'))
    return
  }
  checkGenerated(job, errors, old)
  checkSelector(spec, errors)
  checkPolicies(spec, 'spec', errors)
  if (!old || !sameValue(spec.template, old.spec?.template)) checkPodTemplate(spec.template, 'spec.template', errors)
  if (spec.completionMode === 'Indexed' && (spec.completions ?? 0) > 0) {
    const longest = `${metadata?.name ?? ''}-${spec.completions! - 1}`
    if (isDns1123Label(longest).length) {
      const why = `will not able to create pod with invalid DNS label: ${longest}`
      errors.push(invalid('metadata.name', metadata?.name ?? '', why))
    }
  }
}

/** Containers with the resources of others, where those are the same containers. */
function withResources(containers: readonly Container[] | undefined, like: readonly Container[] | undefined) {
  if (containers?.length !== like?.length) return containers
  return containers?.map((one, index) =>
    one.name === like![index]!.name ? { ...one, resources: like![index]!.resources } : one,
  )
}

/** The pods of a suspended job that has none may still be told where they run and what they need. */
function withoutSchedulable(spec: Partial<PodSpec>, like: Partial<PodSpec>): unknown {
  const { nodeSelector, tolerations, schedulingGates, affinity } = like
  return {
    ...spec,
    nodeSelector,
    tolerations,
    schedulingGates,
    affinity: { ...spec.affinity, nodeAffinity: affinity?.nodeAffinity },
    containers: withResources(spec.containers, like.containers),
    initContainers: withResources(spec.initContainers, like.initContainers),
  }
}

function checkUpdate({ spec: next }: Job, errors: Errors, old: Job | undefined): void {
  const before = old?.spec
  if (!next || !before) return
  const changed = !sameValue(next.completions, before.completions)
  if (changed && next.completionMode !== 'Indexed') {
    errors.push(invalid('spec.completions', next.completions, IMMUTABLE))
  } else if (changed && next.completions !== undefined && next.completions !== next.parallelism) {
    errors.push(invalid('spec.completions', next.completions, 'can only be modified in tandem with spec.parallelism'))
  }
  const { status } = old
  const stopped =
    status?.startTime === undefined || status.conditions?.some(one => one.type === 'Suspended' && one.status === 'True')
  const mayMove = before.suspend && stopped && !status?.active
  if (!mayMove) {
    if (!sameValue(next.template, before.template)) errors.push(invalid('spec.template', next.template, IMMUTABLE))
    return
  }
  const [spec, stood] = [next.template?.spec ?? {}, before.template?.spec ?? {}]
  if (!sameValue(spec, withoutSchedulable(stood, spec))) errors.push(invalid('spec.template.spec', spec, IMMUTABLE))
}

export const jobRules: readonly Rule<Job>[] = [
  onObject(
    nonNegative(
      'spec.parallelism',
      'spec.completions',
      'spec.activeDeadlineSeconds',
      'spec.backoffLimit',
      'spec.ttlSecondsAfterFinished',
      'spec.backoffLimitPerIndex',
      'spec.maxFailedIndexes',
    ),
    check(checkJob),
    check(checkUpdate),
    immutable(
      'spec.selector',
      'spec.completionMode',
      'spec.podFailurePolicy',
      'spec.backoffLimitPerIndex',
      'spec.managedBy',
      'spec.successPolicy',
    ),
  ),
  onStatus(...jobStatusRules),
]
