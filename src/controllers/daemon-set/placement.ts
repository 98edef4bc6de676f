/** Where a DaemonSet wants its pods, and what they are made from. */
import type { Affinity, PodSpec, PodTemplateSpec, Taint, Toleration } from '../../api/generated/types/core-v1.ts'
import type { DaemonSet } from '../../api/kinds/apps/daemon-set.ts'
import type { Node } from '../../api/kinds/core/node.ts'
import type { Pod } from '../../api/kinds/core/pod.ts'
import { isSelected, toleratesAny } from '../../api/machinery/node-match.ts'

export const HASH_LABEL = 'controller-revision-hash'
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'
const GENERATION_LABEL = 'pod-template-generation'

/** What every daemon tolerates: it must not be driven out by what ails its node. */
const TOLERATED: readonly [key: string, effect: 'NoExecute' | 'NoSchedule'][] = [
  ['node.kubernetes.io/not-ready', 'NoExecute'],
  ['node.kubernetes.io/unreachable', 'NoExecute'],
  ['node.kubernetes.io/disk-pressure', 'NoSchedule'],
  ['node.kubernetes.io/memory-pressure', 'NoSchedule'],
  ['node.kubernetes.io/pid-pressure', 'NoSchedule'],
  ['node.kubernetes.io/unschedulable', 'NoSchedule'],
]
const NETWORK: (typeof TOLERATED)[number] = ['node.kubernetes.io/network-unavailable', 'NoSchedule']

/** The tolerations of a template with those that every daemon has. */
function tolerationsOf(spec: PodSpec): Toleration[] {
  const own = spec.tolerations ?? []
  const added = (spec.hostNetwork ? [...TOLERATED, NETWORK] : TOLERATED)
    .map(([key, effect]): Toleration => ({ key, operator: 'Exists', effect }))
    .filter(
      each =>
        !own.some(
          ({ key, operator, effect, value }) =>
            key === each.key && operator === 'Exists' && effect === each.effect && !value,
        ),
    )
  // One that says the same for a limited time gives way to the unlimited one.
  const isReplaced = (one: Toleration) =>
    added.some(each => each.key === one.key && each.effect === one.effect && one.operator === 'Exists' && !one.value)
  return [...own.filter(one => !isReplaced(one)), ...added]
}

/** Affinity that leads to one node and nowhere else; the scheduler binds the pod. */
function affinityTo(node: string, affinity: Affinity | undefined): Affinity {
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [node] }] }
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
    },
  }
}

/** The template of the pod for a node. */
export function templateFor(set: DaemonSet, node: string, hash: string): PodTemplateSpec {
  const template = set.spec?.template ?? {}
  const spec = template.spec ?? { containers: [] }
  const generation = set.metadata?.annotations?.[TEMPLATE_GENERATION]
  return {
    ...template,
    metadata: {
      ...template.metadata,
      labels: {
        ...template.metadata?.labels,
        ...(generation !== undefined && { [GENERATION_LABEL]: generation }),
        [HASH_LABEL]: hash,
      },
    },
    spec: { ...spec, tolerations: tolerationsOf(spec), affinity: affinityTo(node, spec.affinity) },
  }
}

export interface Wish {
  /** A pod should be started there. */
  readonly start: boolean
  /** One that runs there may stay. */
  readonly stay: boolean
}

/** What the set wants of a node: its selectors and affinity match, and taints are tolerated. */
export function wishFor(set: DaemonSet, node: Node): Wish {
  const spec = set.spec?.template?.spec ?? { containers: [] }
  if (spec.nodeName && spec.nodeName !== node.metadata?.name) return { start: false, stay: false }
  if (!isSelected(spec, node)) return { start: false, stay: false }
  const tolerations = tolerationsOf(spec)
  const untolerated = (effects: readonly string[]) =>
    (node.spec?.taints ?? []).some(
      (taint: Taint) => effects.includes(taint.effect) && !toleratesAny(tolerations, taint),
    )
  if (!untolerated(['NoExecute', 'NoSchedule'])) return { start: true, stay: true }
  return { start: false, stay: !untolerated(['NoExecute']) }
}

/** The node that a pod runs on, or waits for; undefined where it says none. */
export function nodeOf({ spec }: Pod): string | undefined {
  if (spec?.nodeName) return spec.nodeName
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const fields = (required?.nodeSelectorTerms ?? []).flatMap(term => term.matchFields ?? [])
  return fields.find(each => each.key === 'metadata.name' && each.operator === 'In')?.values?.[0]
}

/** Made from the present template. */
export function isUpdated(set: DaemonSet, pod: Pod, hash: string): boolean {
  const labels = pod.metadata?.labels ?? {}
  const generation = set.metadata?.annotations?.[TEMPLATE_GENERATION]
  return labels[HASH_LABEL] === hash || (generation !== undefined && labels[GENERATION_LABEL] === generation)
}
