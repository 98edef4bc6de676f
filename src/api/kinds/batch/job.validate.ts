/** Rules of Job (k8s.io/kubernetes `pkg/apis/batch/validation`). */
import type { Job, JobSpec, PodFailurePolicyRule } from '../../generated/types/batch-v1.ts'
import { duplicate, invalid, notSupported, required, tooLong, tooMany } from '../../machinery/field-error.ts'
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
  IMMUTABLE,
  immutable,
  nonNegative,
  onObject,
  sameValue,
} from '../rules.ts'
import {
  CONTROLLER_UID_LABEL,
  JOB_NAME_LABEL,
  LEGACY_CONTROLLER_UID_LABEL,
  LEGACY_JOB_NAME_LABEL,
} from './job.strategy.ts'
import { checkSuccess } from './success-policy.validate.ts'

const MAX_PARALLEL_INDEXES = 100_000

/** One of the values; what is missing is told with all of them. */
function checkListed(value: string | undefined, values: readonly string[], path: string, errors: Errors): void {
  if (value) checkEnum(value, values, path, errors)
  else errors.push(required(path, `valid values: [${values.map(each => JSON.stringify(each)).join(' ')}]`))
}

function checkIndexed(spec: JobSpec, path: string, errors: Errors): void {
  if (spec.completionMode !== 'Indexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes', 'successPolicy'] as const) {
      if (spec[field] !== undefined)
        errors.push(invalid(`${path}.${field}`, spec[field], 'requires indexed completion mode'))
    }
    return
  }
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'))
  if (parallelism > MAX_PARALLEL_INDEXES) {
    const wanted = `must be less than or equal to ${MAX_PARALLEL_INDEXES} when completion mode is Indexed`
    errors.push(invalid(`${path}.parallelism`, parallelism, wanted))
  }
  if (maxFailedIndexes !== undefined) {
    if (completions !== undefined && maxFailedIndexes > completions) {
      errors.push(invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions'))
    }
    if (backoffLimitPerIndex === undefined) {
      errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
    }
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
    errors.push({ reason: 'FieldValueInvalid', field: path, message: `Invalid value: ${what}` })
  }
  if (onExitCodes) checkExitCodes(onExitCodes, spec, `${path}.onExitCodes`, errors)
}

function checkExitCodes(
  { operator, values = [], containerName }: NonNullable<PodFailurePolicyRule['onExitCodes']>,
  { template }: JobSpec,
  path: string,
  errors: Errors,
): void {
  checkListed(operator, ['In', 'NotIn'], `${path}.operator`, errors)
  const containers = [...(template?.spec?.containers ?? []), ...(template?.spec?.initContainers ?? [])]
  if (containerName !== undefined && !containers.some(({ name }) => name === containerName)) {
    const wanted = 'must be one of the container or initContainer names in the pod template'
    errors.push(invalid(`${path}.containerName`, containerName, wanted))
  }
  if (!values.length) errors.push(invalid(`${path}.values`, values, 'at least one value is required'))
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
  const mode = spec.completionMode
  if (mode !== undefined && mode !== 'Indexed' && mode !== 'NonIndexed') {
    errors.push(notSupported(`${root}.completionMode`, mode, ['NonIndexed', 'Indexed']))
  }
  checkIndexed(spec, root, errors)
  const rules = spec.podFailurePolicy?.rules ?? []
  if (rules.length > 20) errors.push(tooMany(`${root}.podFailurePolicy.rules`, rules.length, 20))
  for (const [index, rule] of rules.entries()) {
    checkFailureRule(rule, spec, `${root}.podFailurePolicy.rules[${index}]`, errors)
  }
  checkManagedBy(spec.managedBy, `${root}.managedBy`, errors)
  if (spec.completionMode === 'Indexed') checkSuccess(spec, `${root}.successPolicy`, errors)
  const replacement = spec.podReplacementPolicy
  const allowed = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
  if (replacement !== undefined) checkEnum(replacement, allowed, `${root}.podReplacementPolicy`, errors)
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
function checkGenerated({ spec, metadata }: Job, errors: Errors): void {
  if (!spec?.selector || spec.manualSelector) return
  const { uid = '', name = '' } = metadata ?? {}
  const labels = spec.template?.metadata?.labels ?? {}
  const wanted = {
    [LEGACY_CONTROLLER_UID_LABEL]: uid,
    [LEGACY_JOB_NAME_LABEL]: name,
    [CONTROLLER_UID_LABEL]: uid,
    [JOB_NAME_LABEL]: name,
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
  checkGenerated(job, errors)
  checkSelector(spec, errors)
  checkPolicies(spec, 'spec', errors)
  if (!old || !sameValue(spec.template, old.spec?.template)) checkPodTemplate(spec.template, 'spec.template', errors)
  if (spec.completionMode === 'Indexed' && (spec.completions ?? 0) > 0) {
    const longest = `${metadata?.name}-${spec.completions! - 1}`
    if (isDns1123Label(longest).length) {
      const why = `will not able to create pod with invalid DNS label: ${longest}`
      errors.push(invalid('metadata.name', metadata?.name, why))
    }
  }
}

/** The template of a suspended job without pods may still say where they run and what they need. */
function withoutSchedulable(template: JobSpec['template'], like: JobSpec['template']): JobSpec['template'] {
  const { nodeSelector, tolerations, schedulingGates, affinity } = like.spec ?? ({} as NonNullable<typeof like.spec>)
  const spec = { ...template.spec!, nodeSelector, tolerations, schedulingGates }
  const nodeAffinity = affinity?.nodeAffinity
  const containers = (spec.containers ?? []).map((one, index) => ({
    ...one,
    resources: like.spec?.containers?.[index]?.resources,
  }))
  return {
    metadata: { ...template.metadata, labels: like.metadata?.labels, annotations: like.metadata?.annotations },
    spec: { ...spec, containers, affinity: { ...spec.affinity, nodeAffinity } },
  } as JobSpec['template']
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
  const template = mayMove ? withoutSchedulable(before.template, next.template) : before.template
  if (!sameValue(next.template, template)) errors.push(invalid('spec.template', next.template, IMMUTABLE))
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
]
