/** PodSecurity: the Pod Security Standards, as the labels of a namespace ask for them (KEP-2579). */
import type { Pod, PodSpec, PodTemplateSpec } from '../../api/generated/types/core-v1.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { invalid } from '../../api/machinery/status-error.ts'
import type { CheckedPod, Violation } from '../../api/pod-security/check.ts'
import {
  compareLevels,
  formatLevel,
  isOpen,
  type LevelVersion,
  type Policy,
  policyOf,
} from '../../api/pod-security/policy.ts'
import { describeViolations, podStandards } from '../../api/pod-security/standards.ts'
import { equalJson } from '../../lib/json.ts'
import type { KindReader } from '../registry/registry.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts'
import { refuse, refuseMissing } from './refusal.ts'

/** What PodSecurityConfiguration says (pod-security.admission.config.k8s.io/v1). */
export interface PodSecurityOptions {
  /** For namespaces without labels. Default: privileged, latest. */
  readonly defaults?: Partial<Policy>
  readonly exemptions?: {
    readonly namespaces?: readonly string[]
    readonly usernames?: readonly string[]
    readonly runtimeClasses?: readonly string[]
  }
}

export interface PodSecurityDeps {
  readonly namespaces: KindReader
  readonly pods: KindReader
  readonly options?: PodSecurityOptions
}

const ANYTHING: LevelVersion = { level: 'privileged', version: 'latest' }
const PREFIX = 'pod-security.kubernetes.io/'
/** Pods of a namespace that a stricter level is tried on. */
const MAX_PODS = 3000

const IGNORED_SUBRESOURCES = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status'])

/** Kinds that make pods, and where their template is. */
const TEMPLATES: Readonly<Record<string, (object: Loose) => PodTemplateSpec | undefined>> = {
  '/replicationcontrollers': object => object.spec?.template,
  '/podtemplates': object => object.template,
  'apps/replicasets': object => object.spec?.template,
  'apps/deployments': object => object.spec?.template,
  'apps/statefulsets': object => object.spec?.template,
  'apps/daemonsets': object => object.spec?.template,
  'batch/jobs': object => object.spec?.template,
  'batch/cronjobs': object => object.spec?.jobTemplate?.spec?.template,
}

interface Loose {
  template?: PodTemplateSpec
  spec?: { template?: PodTemplateSpec; jobTemplate?: { spec?: { template?: PodTemplateSpec } } }
}

const checked = (metadata: KubeObject['metadata'], spec: PodSpec | undefined): CheckedPod => ({
  annotations: metadata?.annotations ?? {},
  spec: spec ?? { containers: [] },
})

const imagesOf = (spec: PodSpec | undefined) => [
  (spec?.containers ?? []).map(({ image }) => image ?? ''),
  (spec?.initContainers ?? []).map(({ image }) => image ?? ''),
]

/** Updates of a pod are looked at where they bring other images or containers. */
function isSignificant(next: Pod, old: Pod): boolean {
  if (!equalJson(imagesOf(next.spec), imagesOf(old.spec))) return true
  const before = new Map((old.spec?.ephemeralContainers ?? []).map(each => [each.name, each.image]))
  return (next.spec?.ephemeralContainers ?? []).some(each => before.get(each.name) !== each.image)
}

/** One pod of each controller first: their pods are all alike. */
function byImportance(pods: readonly Pod[]): Pod[] {
  const seen = new Set<string>()
  const [first, rest]: [Pod[], Pod[]] = [[], []]
  for (const pod of pods) {
    const owner = pod.metadata?.ownerReferences?.find(each => each.controller)?.uid
    if (owner !== undefined && seen.has(owner)) rest.push(pod)
    else first.push(pod)
    if (owner !== undefined) seen.add(owner)
  }
  return [...first, ...rest]
}

/** The plugin over the namespaces and pods of the cluster. */
export function podSecurity({ namespaces, pods, options = {} }: PodSecurityDeps): AdmissionPlugin {
  const violationsOf = podStandards()
  const defaults: Policy = { enforce: ANYTHING, audit: ANYTHING, warn: ANYTHING, ...options.defaults }
  const { exemptions = {} } = options

  function exemption({ namespace, user }: AdmissionAttributes): string | undefined {
    if (exemptions.namespaces?.includes(namespace)) return 'namespace'
    return exemptions.usernames?.includes(user.name) ? 'user' : undefined
  }
  const isExemptClass = (spec: PodSpec) => exemptions.runtimeClasses?.includes(spec.runtimeClassName ?? '') ?? false

  const policyFor = (namespace: string) => {
    const found = namespaces.get('', namespace)
    if (!found) throw refuseMissing('namespaces', namespace)
    return policyOf(found.value.metadata?.labels, defaults)
  }

  /** Refuses, warns and notes; only pods themselves are refused. */
  function evaluate(request: AdmissionAttributes, policy: Policy, pod: CheckedPod, enforce: boolean): void {
    const audit = (key: string, value: string) => request.audit(PREFIX + key, value)
    if (isExemptClass(pod.spec)) {
      audit('exempt', 'runtimeClass')
      return
    }
    const found = new Map<string, readonly Violation[]>()
    const at = (level: LevelVersion) => {
      const key = formatLevel(level)
      let violations = found.get(key)
      if (!violations) found.set(key, (violations = violationsOf(level, pod)))
      return violations.length ? `"${key}": ${describeViolations(violations)}` : undefined
    }
    if (enforce) audit('enforce-policy', formatLevel(policy.enforce))
    const audited = at(policy.audit)
    if (audited) audit('audit-violations', `would violate PodSecurity ${audited}`)
    const forbidden = enforce ? at(policy.enforce) : undefined
    if (forbidden) throw refuse(request, `violates PodSecurity ${forbidden}`)
    const warned = at(policy.warn)
    if (warned) request.warn(`would violate PodSecurity ${warned}`)
  }

  function admitPodOrTemplate(request: AdmissionAttributes, of: () => CheckedPod | undefined, enforce: boolean): void {
    const exempt = exemption(request)
    if (exempt) {
      request.audit(`${PREFIX}exempt`, exempt)
      return
    }
    const { policy, errors } = policyFor(request.namespace)
    if (!errors.length && isOpen(enforce ? policy : { ...policy, enforce: ANYTHING })) {
      if (enforce) request.audit(`${PREFIX}enforce-policy`, formatLevel(ANYTHING))
      return
    }
    if (errors.length) {
      const problems = errors.map(({ field, message }) => `${field}: ${message}`)
      request.audit(
        `${PREFIX}error`,
        `Failed to parse policy: ${problems.length > 1 ? `[${problems.join(', ')}]` : problems[0]}`,
      )
    }
    const pod = of()
    if (pod) evaluate(request, policy, pod, enforce)
  }

  function admitPod(request: AdmissionAttributes): void {
    const { object, old, subresource, operation } = request
    if (IGNORED_SUBRESOURCES.has(subresource)) return
    const pod = object as Pod
    const looked = () =>
      operation !== 'UPDATE' || isSignificant(pod, old as Pod) ? checked(pod.metadata, pod.spec) : undefined
    admitPodOrTemplate(request, looked, true)
  }

  /** What the pods that are there already have against a new level. */
  function tryLevel(request: AdmissionAttributes, namespace: string, level: LevelVersion): void {
    const all = byImportance(
      pods
        .list(namespace)
        .map(each => each.value as Pod)
        .filter(each => !isExemptClass(each.spec!)),
    )
    const tried = all.slice(0, MAX_PODS)
    const names = new Map<string, string[]>()
    for (const pod of tried) {
      const violations = violationsOf(level, checked(pod.metadata, pod.spec))
      if (!violations.length) continue
      const reasons = violations.map(({ reason }) => reason).join(', ')
      names.set(reasons, [...(names.get(reasons) ?? []), pod.metadata?.name ?? ''])
    }
    if (tried.length < all.length)
      request.warn(
        `new PodSecurity enforce level only checked against the first ${tried.length} of ${all.length} existing pods`,
      )
    if (!names.size) return
    const quotedLevel = JSON.stringify(formatLevel(level))
    request.warn(
      `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${quotedLevel}`,
    )
    const lines = [...names].map(([reasons, of]) => {
      const others = of.length - 1
      const more = others ? ` (and ${others} other ${others === 1 ? 'pod' : 'pods'})` : ''
      return `${of.sort()[0]}${more}: ${reasons}`
    })
    for (const line of lines.sort()) request.warn(line)
  }

  const isSet = (labels: Readonly<Record<string, string>> | undefined, mode: string) =>
    labels?.[PREFIX + mode] !== undefined || labels?.[`${PREFIX}${mode}-version`] !== undefined

  function warnExempt(request: AdmissionAttributes, name: string, policy: Policy): void {
    if (isOpen(policy) || equalJson(policy, defaults)) return
    const labels = request.object?.metadata?.labels
    const asked = (['enforce', 'audit', 'warn'] as const)
      .filter(mode => policy[mode].level !== 'privileged' && isSet(labels, mode))
      .map(mode => `${mode}=${formatLevel(policy[mode])}`)
    request.warn(
      `namespace ${JSON.stringify(name)} is exempt from Pod Security, and the policy (${asked.join(', ')}) will be ignored`,
    )
  }

  function admitNamespace(request: AdmissionAttributes): void {
    const { object, old, subresource, operation, kind } = request
    if (subresource !== '') return
    const name = object?.metadata?.name ?? ''
    const { policy, errors } = policyOf(object?.metadata?.labels, defaults)
    const before = operation === 'UPDATE' ? policyOf(old?.metadata?.labels, defaults) : undefined
    if (errors.length && !(before && equalJson(errors, before.errors))) throw invalid(kind, name, errors)
    const isExempt = exemptions.namespaces?.includes(name)
    if (!before) {
      if (isExempt) warnExempt(request, name, policy)
      return
    }
    const [next, was] = [policy.enforce, before.policy.enforce]
    if (next.level === 'privileged' || equalJson(next, was)) return
    if (next.version === was.version && compareLevels(next.level, was.level) < 1) return
    if (isExempt) warnExempt(request, name, policy)
    else tryLevel(request, name, next)
  }

  const templateOf = ({ kind }: AdmissionAttributes) => TEMPLATES[`${kind.group}/${kind.plural}`]

  return {
    name: 'PodSecurity',
    handles: request => {
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return false
      const { key } = request.kind
      return (
        key === 'v1/pods' ||
        key === 'v1/namespaces' ||
        (request.subresource === '' && templateOf(request) !== undefined)
      )
    },
    validate(request) {
      if (request.kind.key === 'v1/namespaces') return admitNamespace(request)
      if (request.kind.key === 'v1/pods') return admitPod(request)
      const template = templateOf(request)!(request.object as Loose)
      admitPodOrTemplate(request, () => template && checked(template.metadata, template.spec), false)
    },
  }
}
