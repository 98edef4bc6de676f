/** What is odd about a pod or a template of pods, but let through (k8s.io/kubernetes `pkg/api/pod/warnings.go`). */
import type {
  Container,
  ContainerPort,
  Pod,
  PodAffinityTerm,
  PodSpec,
  PodTemplateSpec,
} from '../../generated/types/core-v1.ts'
import { isDns1123Label } from '../../machinery/names.ts'
import { addressWarnings } from '../ip-warnings.ts'
import { containersOf, type PlacedContainer } from './pod-containers.ts'
import { fractionWarning, volumeWarnings } from './volume-warnings.ts'

const OLD_ANNOTATIONS: readonly (readonly [key: string, words: string])[] = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
]

const OLD_NODE_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
}

const NO_SELECTOR = 'a null labelSelector results in matching no pod'

function schedulingWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = []
  for (const key of Object.keys(spec.nodeSelector ?? {})) {
    const words = OLD_NODE_LABELS[key]
    if (words) warnings.push(`${path}.nodeSelector[${key}]: ${words}`)
  }
  const expressions = (list: readonly { key?: string }[] | undefined, at: string) => {
    for (const [index, { key = '' }] of (list ?? []).entries()) {
      const words = OLD_NODE_LABELS[key]
      if (words) warnings.push(`${at}.matchExpressions[${index}].key: ${key} is ${words}`)
    }
  }
  const node = spec.affinity?.nodeAffinity
  const at = `${path}.affinity.nodeAffinity`
  for (const [index, term] of (
    node?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  ).entries()) {
    const terms = `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`
    expressions(term.matchExpressions, `${terms}[${index}]`)
  }
  for (const [index, term] of (node?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    const terms = `${at}.preferredDuringSchedulingIgnoredDuringExecution`
    expressions(term.preference?.matchExpressions, `${terms}[${index}].preference`)
  }
  for (const [index, { topologyKey = '', labelSelector }] of (spec.topologySpreadConstraints ?? []).entries()) {
    const each = `${path}.topologySpreadConstraints[${index}]`
    const words = OLD_NODE_LABELS[topologyKey]
    if (words) warnings.push(`${each}.topologyKey: ${topologyKey} is ${words}`)
    if (!labelSelector) warnings.push(`${each}.labelSelector: ${NO_SELECTOR}`)
  }
  return warnings
}

function affinityWarnings({ affinity }: PodSpec, path: string): string[] {
  const warnings: string[] = []
  const look = (term: PodAffinityTerm | undefined, at: string) => {
    if (!term?.labelSelector) warnings.push(`${at}.labelSelector: ${NO_SELECTOR}`)
  }
  for (const field of ['podAffinity', 'podAntiAffinity'] as const) {
    const at = `${path}.affinity.${field}`
    const {
      requiredDuringSchedulingIgnoredDuringExecution: hard,
      preferredDuringSchedulingIgnoredDuringExecution: soft,
    } = affinity?.[field] ?? {}
    for (const [index, term] of (hard ?? []).entries()) {
      look(term, `${at}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`)
    }
    for (const [index, { podAffinityTerm }] of (soft ?? []).entries()) {
      look(podAffinityTerm, `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm`)
    }
  }
  return warnings
}

/** Items of a list that have the same name as one before. */
function repeats(names: readonly string[], path: string, field: string, what: string): string[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) < index ? [`${path}[${index}].${field}: duplicate ${what} ${JSON.stringify(name)}`] : [],
  )
}

function listWarnings(spec: PodSpec, path: string): string[] {
  const secrets = (spec.imagePullSecrets ?? []).map(({ name }) => name ?? '')
  const aliases = (spec.hostAliases ?? []).map(({ ip }) => ip ?? '')
  return [
    ...repeats(aliases, `${path}.hostAliases`, 'ip', 'ip'),
    ...repeats(secrets, `${path}.imagePullSecrets`, 'name', 'name'),
    ...secrets.flatMap((name, index) =>
      name === '' ? [`${path}.imagePullSecrets[${index}].name: invalid empty name ""`] : [],
    ),
    ...fractionWarning(spec.overhead?.memory, `${path}.overhead[memory]`),
    ...fractionWarning(spec.overhead?.['ephemeral-storage'], `${path}.overhead[ephemeral-storage]`),
  ]
}

function containerWarnings({ resources, env = [] }: Container, path: string): string[] {
  const warnings: string[] = []
  for (const resource of ['memory', 'ephemeral-storage']) {
    for (const field of ['limits', 'requests'] as const) {
      warnings.push(...fractionWarning(resources?.[field]?.[resource], `${path}.resources.${field}[${resource}]`))
    }
  }
  const seen = new Set<string>()
  for (const [index, { name, value = '', valueFrom }] of env.entries()) {
    const own = `$(${name})`
    if (seen.has(name) && (valueFrom || value === own || !value.includes(own))) {
      const what = `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`
      warnings.push(`${path}.env[${index}]: ${what}`)
    }
    seen.add(name)
  }
  return warnings
}

/** As Go's `%+v` shows a port. */
const shownPort = ({ name = '', hostPort = 0, containerPort, protocol, hostIP }: ContainerPort) =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`

function clash(one: ContainerPort, two: ContainerPort): string | undefined {
  const [hostPort, other] = [one.hostPort ?? 0, two.hostPort ?? 0]
  if ((one.hostIP ?? '') === (two.hostIP ?? '') && hostPort === other) return 'duplicate'
  if (hostPort === 0 || other === 0) return 'overlapping'
  return hostPort === other && !one.hostIP !== !two.hostIP ? 'dangerously ambiguous' : undefined
}

function portWarnings(containers: readonly PlacedContainer[]): string[] {
  const ports = containers.flatMap(([{ ports = [] }, path]) =>
    ports.map((port, index) => ({ port, at: `${path}.ports[${index}]` })),
  )
  const warnings: string[] = []
  for (const [index, { port, at }] of ports.entries()) {
    if (port.hostIP && !port.hostPort) warnings.push(`${at}: hostIP set without hostPort: ${shownPort(port)}`)
    for (const other of ports.slice(0, index)) {
      if (other.port.containerPort !== port.containerPort || other.port.protocol !== port.protocol) continue
      const how = clash(port, other.port)
      if (how) warnings.push(`${at}: ${how} port definition with ${other.at}`)
    }
  }
  const names = new Map<string, string>()
  for (const { port, at } of ports) {
    if (!port.name) continue
    const other = names.get(port.name)
    if (other) {
      const use = `services and probes that select ports by name will use ${other}`
      warnings.push(`${at}: duplicate port name ${JSON.stringify(port.name)} with ${other}, ${use}`)
    } else names.set(port.name, at)
  }
  return warnings
}

const specAddresses = ({ dnsConfig, hostAliases = [] }: PodSpec, path: string): string[] => [
  ...(dnsConfig?.nameservers ?? []).flatMap((ip, at) => addressWarnings(ip, `${path}.dnsConfig.nameservers[${at}]`)),
  ...hostAliases.flatMap(({ ip = '' }, at) => addressWarnings(ip, `${path}.hostAliases[${at}].ip`)),
]

/** Warnings about addresses in a pod's status, for who writes it. */
export const podStatusWarnings = ({ status }: Pod): string[] =>
  (['podIPs', 'hostIPs'] as const).flatMap(field =>
    (status?.[field] ?? []).flatMap(({ ip = '' }, at) => addressWarnings(ip, `status.${field}[${at}].ip`)),
  )

interface Templated {
  readonly metadata?: { readonly name?: string; readonly generation?: number }
}

/** Whether an object is new, or its spec another one: nothing else is warned of. */
export const isChanged = (object: Templated, old: Templated | undefined): boolean =>
  !old || old.metadata?.generation !== object.metadata?.generation

/** Warnings about the template of a kind that makes pods: when it is made, and when its spec changes. */
export const templateWarnings =
  <T extends Templated>(template: (object: T) => PodTemplateSpec | undefined, path = 'spec.template.') =>
  (object: T, old: T | undefined): string[] => {
    const made = template(object)
    return made && isChanged(object, old) ? podTemplateWarnings(made, path) : []
  }

/** Warnings about a name that is used in `what`. */
export function hostnameWarnings(name: string | undefined, what: string): string[] {
  const problems = isDns1123Label(name ?? '')
  if (!problems.length) return []
  return [
    `metadata.name: this is used in ${what}, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
  ]
}

/** The same for kinds that pods have their names from, which are looked at when an object is made. */
export const namedTemplateWarnings = <T extends Templated>(template: (object: T) => PodTemplateSpec | undefined) => {
  const others = templateWarnings(template)
  return (object: T, old: T | undefined): string[] => [
    ...(old ? [] : hostnameWarnings(object.metadata?.name, 'Pod names and hostnames')),
    ...others(object, old),
  ]
}

/** Warnings about a pod (`path` empty) or a template of pods (`path` with a dot at its end: `spec.template.`). */
export function podTemplateWarnings({ metadata, spec }: PodTemplateSpec, path = ''): string[] {
  if (!spec) return []
  const at = `${path}spec`
  const annotations = OLD_ANNOTATIONS.filter(([key]) => metadata?.annotations?.[key] !== undefined)
  const containers = containersOf(spec, at)
  return [
    ...schedulingWarnings(spec, at),
    ...annotations.map(([key, words]) => `${path}metadata.annotations[${key}]: ${words}`),
    ...volumeWarnings(spec.volumes ?? [], `${at}.volumes`),
    ...listWarnings(spec, at),
    ...containers.flatMap(([container, each]) => containerWarnings(container, each)),
    ...portWarnings(containers),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...affinityWarnings(spec, at),
    ...specAddresses(spec, at),
  ]
}
