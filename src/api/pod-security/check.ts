/** What the checks of the Pod Security Standards are made of (https://kubernetes.io/docs/concepts/security/pod-security-standards/). */
import type { Container, PodSpec } from '../generated/types/core-v1.ts'

export interface CheckedPod {
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: PodSpec
}

/** Why a pod is against a check. */
export interface Violation {
  readonly reason: string
  readonly detail: string
}

export type CheckPod = (pod: CheckedPod) => Violation | undefined

/** One check of a level, as it changed from version to version. */
export interface Check {
  /** Orders the checks of a level. */
  readonly id: string
  readonly level: 'baseline' | 'restricted'
  /** From which minor version of Kubernetes 1 each form holds, rising. */
  readonly versions: readonly (readonly [minor: number, check: CheckPod])[]
  /** The baseline check that it stands for in the restricted level. */
  readonly overrides?: string
}

/** All containers of a pod, in the order in which messages name them. */
export const containersOf = ({
  initContainers = [],
  containers = [],
  ephemeralContainers = [],
}: PodSpec): Container[] => [...initContainers, ...containers, ...(ephemeralContainers as Container[])]

/** Names of the containers for which `bad` holds. */
export const namesOf = (spec: PodSpec, bad: (container: Container) => boolean): string[] =>
  containersOf(spec)
    .filter(bad)
    .map(({ name }) => name)

export const quoted = (items: readonly string[]): string => items.map(each => `"${each}"`).join(', ')
export const sorted = (items: Iterable<string>): string[] => [...new Set(items)].sort()
export const plural = (count: number, one: string, many = `${one}s`): string => (count === 1 ? one : many)

/** `container "a"`, `containers "a", "b"`. */
export const containers = (names: readonly string[]): string => `${plural(names.length, 'container')} ${quoted(names)}`

/** `pod and container "a"`: who sets something. */
export const setters = (pod: boolean, names: readonly string[]): string =>
  [...(pod ? ['pod'] : []), ...(names.length ? [containers(names)] : [])].join(' and ')

/** The same check, which Windows pods pass. */
export const unlessWindows =
  (check: CheckPod): CheckPod =>
  pod =>
    pod.spec.os?.name === 'windows' ? undefined : check(pod)

/** The same check, which pods in a user namespace of their own pass. */
export const unlessOwnUsers =
  (check: CheckPod): CheckPod =>
  pod =>
    pod.spec.hostUsers === false ? undefined : check(pod)
