/** Rules of ResourceQuotas (k8s.io/kubernetes `pkg/apis/core/validation`). */
import type { ResourceQuota, ResourceQuotaSpec } from '../../generated/types/core-v1.ts'
import { invalid, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { check, type Errors, IMMUTABLE, onObject, onStatus } from '../rules.ts'
import { checkQuotaResourceName, checkResourceAmount, isQuotaResource } from './resource-names.validate.ts'
import type { ResourceList } from './resources.ts'

const COMPUTE = ['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']
const PODS = new Set(['pods', ...COMPUTE])

/** What a scope goes with. */
const SCOPES: Readonly<Record<string, ReadonlySet<string>>> = {
  BestEffort: new Set(['pods']),
  CrossNamespacePodAffinity: PODS,
  NotBestEffort: PODS,
  NotTerminating: PODS,
  PriorityClass: PODS,
  Terminating: PODS,
  VolumeAttributesClass: new Set(['persistentvolumeclaims', 'requests.storage']),
}
const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['NotTerminating', 'Terminating'],
] as const
/** They hold or not: there is nothing to compare with. */
const PLAIN = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']
const PLAIN_NAMES =
  'ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity'

function checkList(list: ResourceList | undefined, path: string, errors: Errors): void {
  for (const [name, amount] of Object.entries(list ?? {})) {
    const at = `${path}[${name}]`
    checkQuotaResourceName(name, at, errors)
    checkResourceAmount(name, amount, at, errors)
  }
}

/** Resources of the quota that a scope does not go with. */
const strangers = (scope: string, hard: ResourceList) =>
  Object.keys(hard).filter(name => isQuotaResource(name) && SCOPES[scope]?.has(name) === false)

function checkConflicts(scopes: readonly string[], shown: unknown, path: string, errors: Errors): void {
  for (const pair of CONFLICTS) {
    if (pair.every(scope => scopes.includes(scope))) errors.push(invalid(path, shown ?? null, 'conflicting scopes'))
  }
}

function checkScopes({ scopes = [], hard = {} }: ResourceQuotaSpec, path: string, errors: Errors): void {
  for (const scope of scopes) {
    if (!Object.hasOwn(SCOPES, scope)) errors.push(invalid(path, scopes, 'unsupported scope'))
    for (const _ of strangers(scope, hard)) errors.push(invalid(path, scopes, 'unsupported scope applied to resource'))
  }
  checkConflicts(scopes, scopes, path, errors)
}

type Requirement = NonNullable<NonNullable<ResourceQuotaSpec['scopeSelector']>['matchExpressions']>[number]

function checkOperator(requirement: Requirement, path: string, errors: Errors): void {
  const { scopeName, values = [] } = requirement
  const operator: string = requirement.operator ?? ''
  const at = `${path}.operator`
  if (PLAIN.includes(scopeName) && operator !== 'Exists') {
    errors.push(invalid(at, operator, `must be 'Exists' when scope is any of ${PLAIN_NAMES}`))
  }
  if (operator === 'In' || operator === 'NotIn') {
    const what = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
    if (!values.length) errors.push(required(`${path}.values`, what))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    const what = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
    if (values.length) errors.push(invalid(`${path}.values`, values, what))
  } else errors.push(invalid(at, operator, 'not a valid selector operator'))
}

function checkSelector({ scopeSelector, scopes, hard = {} }: ResourceQuotaSpec, path: string, errors: Errors): void {
  const all = scopeSelector?.matchExpressions ?? []
  for (const one of all) {
    const scope = one.scopeName ?? ''
    if (!Object.hasOwn(SCOPES, scope)) errors.push(invalid(`${path}.scopeName`, scope, 'unsupported scope'))
    for (const _ of strangers(scope, hard)) {
      errors.push(invalid(path, scopeSelector, 'unsupported scope applied to resource'))
    }
    checkOperator(one, path, errors)
  }
  checkConflicts(
    all.map(({ scopeName }) => scopeName),
    scopes,
    path,
    errors,
  )
}

const sameScopes = (next: readonly string[], old: readonly string[]) =>
  next.every(scope => old.includes(scope)) && old.every(scope => next.includes(scope))

export const resourceQuotaRules: readonly Rule<ResourceQuota>[] = [
  onObject(
    check<ResourceQuota>(({ spec = {} }, errors, old) => {
      checkList(spec.hard, 'spec.hard', errors)
      checkScopes(spec, 'spec.scopes', errors)
      checkSelector(spec, 'spec.scopeSelector.matchExpressions', errors)
      if (old && !sameScopes(spec.scopes ?? [], old.spec?.scopes ?? [])) {
        errors.push(invalid('spec.scopes', spec.scopes, IMMUTABLE))
      }
    }),
  ),
  onStatus(
    check<ResourceQuota>(({ status }, errors) => {
      checkList(status?.hard, 'status.hard', errors)
      checkList(status?.used, 'status.used', errors)
    }),
  ),
]
