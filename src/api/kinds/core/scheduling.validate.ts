/** Where a pod may run: affinity, tolerations, spreading (k8s.io/kubernetes `pkg/apis/core/validation`). */
import type {
  Affinity,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  Taint,
  Toleration,
  TopologySpreadConstraint,
} from '../../generated/types/core-v1.ts'
import type { LabelSelector } from '../../generated/types/meta-v1.ts'
import { duplicate, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts'
import { validateLabelSelector } from '../../machinery/label-selector.ts'
import { isDns1123Label, isDns1123Subdomain, isLabelValue } from '../../machinery/names.ts'
import type { Errors } from '../rules.ts'
import { checkEnum, checkFormat, checkPositive, checkQualifiedName, checkSupported } from '../rules.ts'

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function checkRequirement(one: NodeSelectorRequirement, preferred: boolean, path: string, errors: Errors): void {
  const values = one.values ?? []
  const at = `${path}.values`
  switch (one.operator) {
    case 'In':
    case 'NotIn':
      if (!values.length) errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"))
      break
    case 'Exists':
    case 'DoesNotExist':
      if (values.length) {
        errors.push(forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
      }
      break
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        errors.push(required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
      }
      break
    default:
      errors.push(invalid(`${path}.operator`, one.operator ?? '', 'not a valid selector operator'))
  }
  checkQualifiedName(one.key ?? '', `${path}.key`, errors)
  if (preferred) return
  for (const [index, value] of values.entries()) checkFormat(isLabelValue(value), value, `${at}[${index}]`, errors)
}

function checkFieldRequirement(one: NodeSelectorRequirement, path: string, errors: Errors): void {
  const values = one.values ?? []
  if (one.operator !== 'In' && one.operator !== 'NotIn') {
    errors.push(invalid(`${path}.operator`, one.operator ?? '', 'not a valid selector operator'))
  } else if (values.length !== 1) {
    const wanted = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
    errors.push(required(`${path}.values`, wanted))
  }
  if (one.key !== 'metadata.name') {
    errors.push(invalid(`${path}.key`, one.key ?? '', 'not a valid field selector key'))
    return
  }
  for (const [index, value] of values.entries()) {
    checkFormat(isDns1123Subdomain(value), value, `${path}.values[${index}]`, errors)
  }
}

function checkTerm(term: NodeSelectorTerm | undefined, preferred: boolean, path: string, errors: Errors): void {
  for (const [index, one] of (term?.matchExpressions ?? []).entries()) {
    checkRequirement(one, preferred, `${path}.matchExpressions[${index}]`, errors)
  }
  for (const [index, one] of (term?.matchFields ?? []).entries()) {
    checkFieldRequirement(one, `${path}.matchFields[${index}]`, errors)
  }
}

/** Terms of a node selector: at least one. */
export function checkNodeSelectorTerms(
  terms: readonly NodeSelectorTerm[] | undefined,
  path: string,
  errors: Errors,
): void {
  if (!terms?.length) errors.push(required(path, 'must have at least one node selector term'))
  for (const [index, term] of (terms ?? []).entries()) checkTerm(term, false, `${path}[${index}]`, errors)
}

function checkWeight(weight: number, path: string, errors: Errors): void {
  if (weight <= 0 || weight > 100) errors.push(invalid(path, weight, 'must be in the range 1-100'))
}

function checkSelector(selector: LabelSelector | undefined, path: string, errors: Errors): void {
  if (selector) errors.push(...validateLabelSelector(selector, path))
}

function checkLabelKeys(term: PodAffinityTerm, path: string, errors: Errors): void {
  for (const field of ['matchLabelKeys', 'mismatchLabelKeys'] as const) {
    const keys = term[field] ?? []
    if (keys.length && !term.labelSelector) {
      errors.push(forbidden(`${path}.${field}`, 'must not be specified when labelSelector is not set'))
      continue
    }
    for (const [index, key] of keys.entries()) {
      checkQualifiedName(key, `${path}.${field}[${index}]`, errors)
      if (field === 'matchLabelKeys' && term.mismatchLabelKeys?.includes(key)) {
        errors.push(invalid(`${path}.${field}[${index}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'))
      }
    }
  }
}

function checkPodTerm(term: PodAffinityTerm, path: string, errors: Errors): void {
  checkSelector(term.labelSelector, `${path}.labelSelector`, errors)
  checkSelector(term.namespaceSelector, `${path}.namespaceSelector`, errors)
  for (const name of term.namespaces ?? []) checkFormat(isDns1123Label(name), name, `${path}.namespace`, errors)
  checkLabelKeys(term, path, errors)
  if (!term.topologyKey) errors.push(required(`${path}.topologyKey`, 'can not be empty'))
  checkQualifiedName(term.topologyKey ?? '', `${path}.topologyKey`, errors)
}

export function checkAffinity(affinity: Affinity | undefined, path: string, errors: Errors): void {
  if (!affinity) return
  const required_ = 'requiredDuringSchedulingIgnoredDuringExecution'
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution'
  const node = affinity.nodeAffinity
  if (node?.[required_]) {
    const at = `${path}.nodeAffinity.${required_}.nodeSelectorTerms`
    checkNodeSelectorTerms(node[required_].nodeSelectorTerms, at, errors)
  }
  for (const [index, { weight, preference }] of (node?.[preferred] ?? []).entries()) {
    const at = `${path}.nodeAffinity.${preferred}[${index}]`
    checkWeight(weight, `${at}.weight`, errors)
    checkTerm(preference, true, `${at}.preference`, errors)
  }
  for (const field of ['podAffinity', 'podAntiAffinity'] as const) {
    for (const [index, term] of (affinity[field]?.[required_] ?? []).entries()) {
      checkPodTerm(term, `${path}.${field}.${required_}[${index}]`, errors)
    }
    for (const [index, { weight, podAffinityTerm }] of (affinity[field]?.[preferred] ?? []).entries()) {
      const at = `${path}.${field}.${preferred}[${index}]`
      checkWeight(weight, `${at}.weight`, errors)
      checkPodTerm(podAffinityTerm, `${at}.podAffinityTerm`, errors)
    }
  }
}

function checkTolerationValue(toleration: Toleration, path: string, errors: Errors): void {
  const { operator, value = '' } = toleration
  if (!operator || operator === 'Equal') {
    const problems = isLabelValue(value)
    if (problems.length) errors.push(invalid(`${path}.operator`, value, problems.join(';')))
  } else if (operator === 'Exists') {
    if (value) errors.push(invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"))
  } else errors.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']))
}

export function checkTolerations(tolerations: readonly Toleration[] | undefined, path: string, errors: Errors): void {
  for (const [index, toleration] of (tolerations ?? []).entries()) {
    const at = `${path}[${index}]`
    const { key, operator, effect, tolerationSeconds } = toleration
    if (key) checkQualifiedName(key, `${at}.key`, errors)
    else if (operator !== 'Exists') {
      const wanted = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      errors.push(invalid(`${at}.operator`, operator ?? '', wanted))
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      const wanted = "effect must be 'NoExecute' when `tolerationSeconds` is set"
      errors.push(invalid(`${at}.effect`, effect ?? '', wanted))
    }
    checkTolerationValue(toleration, at, errors)
    if (effect) checkEnum(effect, EFFECTS, `${at}.effect`, errors)
  }
}

/** A node's taints; unique by key and effect. */
export function checkTaints(taints: readonly Taint[] | undefined, path: string, errors: Errors): void {
  const seen = new Set<string>()
  for (const [index, taint] of (taints ?? []).entries()) {
    const at = `${path}[${index}]`
    checkQualifiedName(taint.key ?? '', `${at}.key`, errors)
    const problems = isLabelValue(taint.value ?? '')
    if (problems.length) errors.push(invalid(`${at}.value`, taint.value, problems.join(';')))
    checkEnum(taint.effect, EFFECTS, `${at}.effect`, errors)
    const id = `${taint.key}:${taint.effect}`
    if (seen.has(id)) {
      const { message, ...rest } = duplicate(at, taint)
      errors.push({ ...rest, message: `${message}: taints must be unique by key and effect pair` })
    }
    seen.add(id)
  }
}

/** Which pods and nodes a constraint counts. */
function checkSpreadNodes(one: TopologySpreadConstraint, at: string, errors: Errors): void {
  const keys = one.matchLabelKeys ?? []
  if (keys.length && !one.labelSelector) {
    errors.push(forbidden(`${at}.matchLabelKeys`, 'must not be specified when labelSelector is not set'))
  } else {
    for (const [key, label] of keys.entries()) checkQualifiedName(label, `${at}.matchLabelKeys[${key}]`, errors)
  }
  for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
    checkSupported(one[field], ['Honor', 'Ignore'], `${at}.${field}`, errors)
  }
}

export function checkSpread(
  constraints: readonly TopologySpreadConstraint[] | undefined,
  path: string,
  errors: Errors,
): void {
  for (const [index, one] of (constraints ?? []).entries()) {
    const at = `${path}[${index}]`
    checkPositive(one.maxSkew ?? 0, `${at}.maxSkew`, errors)
    if (!one.topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'))
    const actions = ['DoNotSchedule', 'ScheduleAnyway']
    if (!actions.includes(one.whenUnsatisfiable)) {
      errors.push(notSupported(`${at}.whenUnsatisfiable`, one.whenUnsatisfiable ?? '', actions))
    }
    checkSpreadNodes(one, at, errors)
    const same = (other: TopologySpreadConstraint) =>
      other.topologyKey === one.topologyKey && other.whenUnsatisfiable === one.whenUnsatisfiable
    if (constraints!.slice(index + 1).some(same)) {
      const pair = `{${one.topologyKey}, ${one.whenUnsatisfiable}}`
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair))
    }
    if (one.minDomains !== undefined) {
      checkPositive(one.minDomains, `${at}.minDomains`, errors)
      if (one.whenUnsatisfiable !== 'DoNotSchedule') {
        const wanted = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${one.whenUnsatisfiable}`
        errors.push(invalid(`${at}.minDomains`, one.minDomains, wanted))
      }
    }
    checkSelector(one.labelSelector, `${at}.labelSelector`, errors)
  }
}
