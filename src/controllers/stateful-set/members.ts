/** The members of a StatefulSet: their names, ordinals, identities and states. */
import type { PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import { StatefulSet } from '../../api/kinds/apps/stateful-set.ts'
import type { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { availableIn, isTerminating, podFromTemplate } from '../pods.ts'

export const REVISION_LABEL = 'controller-revision-hash'
const NAME_LABEL = 'statefulset.kubernetes.io/pod-name'
const INDEX_LABEL = 'apps.kubernetes.io/pod-index'

/** The set's name and the ordinal in a member's name; undefined for a name of another form. */
export function identityOf(name: string | undefined): { readonly set: string; readonly ordinal: number } | undefined {
  const match = /^(.*)-([0-9]+)$/.exec(name ?? '')
  const ordinal = Number(match?.[2])
  return match && ordinal < 2 ** 31 ? { set: match[1]!, ordinal } : undefined
}

export const ordinalOf = (pod: Pod): number => identityOf(pod.metadata?.name)?.ordinal ?? -1

export const startOf = (set: StatefulSet): number => set.spec?.ordinals?.start ?? 0
export const replicasOf = (set: StatefulSet): number => set.spec?.replicas ?? 1

/** Whether the set wants a member of this ordinal. */
export const isWanted = (set: StatefulSet, ordinal: number): boolean =>
  ordinal >= startOf(set) && ordinal < startOf(set) + replicasOf(set)

export const memberName = (set: StatefulSet, ordinal: number): string => `${set.metadata?.name}-${ordinal}`

/** The revision that a pod was made from, by name. */
export const revisionNameOf = (pod: Pod): string => pod.metadata?.labels?.[REVISION_LABEL] ?? ''

const minReady = (set: StatefulSet) => set.spec?.minReadySeconds ?? 0
export const isHealthy = (pod: Pod): boolean => pod.status?.phase === 'Running' && isReady(pod)
export const isAvailable = (set: StatefulSet, pod: Pod, now: number): boolean =>
  availableIn(pod, minReady(set), now) === 0
export const isUnavailable = (set: StatefulSet, pod: Pod, now: number): boolean =>
  !isAvailable(set, pod, now) || isTerminating(pod)

/** Milliseconds until the first of these pods becomes available by time alone; undefined where none does. */
export function nextAvailable(set: StatefulSet, pods: readonly Pod[], now: number): number | undefined {
  const waits = pods.flatMap(pod => availableIn(pod, minReady(set), now) || [])
  return waits.length > 0 ? Math.min(...waits) : undefined
}

/** The name of a member's claim that comes from a template of the set. */
export const claimName = (set: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string =>
  `${template.metadata?.name}-${memberName(set, ordinal)}`

/** The claims that a member needs, by the names of their templates. */
export function claimsOf(set: StatefulSet, ordinal: number): Map<string, PersistentVolumeClaim> {
  const claims = new Map<string, PersistentVolumeClaim>()
  for (const template of set.spec?.volumeClaimTemplates ?? []) {
    const { status: _, ...claim } = template
    claims.set(template.metadata?.name ?? '', {
      ...claim,
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        ...template.metadata,
        name: claimName(set, template, ordinal),
        ...(set.metadata?.namespace && { namespace: set.metadata.namespace }),
        labels: { ...template.metadata?.labels, ...set.spec?.selector?.matchLabels },
      },
    })
  }
  return claims
}

/** The pod's labels and volumes as its place in the set asks for; equal to `pod` where they are so already. */
export function withIdentity(set: StatefulSet, pod: Pod): Pod {
  const ordinal = ordinalOf(pod)
  const name = memberName(set, ordinal)
  const claims = claimsOf(set, ordinal)
  const volumes = pod.spec?.volumes ?? []
  const hasAll = [...claims].every(([volume, claim]) =>
    volumes.some(each => each.name === volume && each.persistentVolumeClaim?.claimName === claim.metadata?.name),
  )
  const labels = pod.metadata?.labels ?? {}
  if (hasAll && labels[NAME_LABEL] === name) return pod
  const mounted = [...claims].map(([volume, claim]) => ({
    name: volume,
    persistentVolumeClaim: { claimName: claim.metadata?.name ?? '' },
  }))
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      name,
      labels: { ...labels, [NAME_LABEL]: name, [INDEX_LABEL]: String(ordinal) },
    },
    spec: {
      ...pod.spec!,
      ...(hasAll ? {} : { volumes: [...mounted, ...volumes.filter(each => !claims.has(each.name))] }),
    },
  }
}

/** A member that does not exist yet, of a set at one of its revisions. */
export function newMember(set: StatefulSet, revision: string, ordinal: number): Pod {
  const name = memberName(set, ordinal)
  const { generateName: _, ...metadata } = podFromTemplate(set.spec?.template ?? {}, StatefulSet, set).metadata ?? {}
  return withIdentity(set, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name, labels: { ...metadata.labels, [REVISION_LABEL]: revision } },
    spec: {
      ...set.spec!.template!.spec!,
      hostname: name,
      ...(set.spec?.serviceName && { subdomain: set.spec.serviceName }),
    },
  })
}
