/** pods/resize: what of a pod it changes, and what it may not do (KEP-1287, KEP-5419). */
import type { Container, Pod, PodSpec, ResourceRequirements } from '../../generated/types/core-v1.ts'
import { forbidden, invalid } from '../../machinery/field-error.ts'
import { type Errors, sameValue } from '../rules.ts'
import { isSidecar } from './pod-containers.ts'
import { qosClass, type ResourceList } from './resources.ts'

const LISTS = ['containers', 'initContainers'] as const
const isResizable = (name: string) => name === 'cpu' || name === 'memory'

/** The old containers with the new resources; the new ones as they are where they are not the same ones. */
function resizedContainers(next: readonly Container[], old: readonly Container[]): Container[] {
  if (next.some((container, index) => container.name !== old[index]?.name)) return [...next]
  return next.map(({ resources, resizePolicy }, index) => {
    const { resources: _, resizePolicy: __, ...rest } = old[index]!
    return { ...rest, ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) }
  })
}

/** The old spec with what a resize changes; undefined where containers came or went, which the rules refuse. */
export function resizedSpec(next: PodSpec | undefined, old: PodSpec | undefined): PodSpec | undefined {
  if (!next || !old || LISTS.some(list => (next[list]?.length ?? 0) !== (old[list]?.length ?? 0))) return undefined
  const { resources: _, ...rest } = old
  const spec: PodSpec = { ...rest, ...(next.resources && { resources: next.resources }) }
  for (const list of LISTS) if (next[list]) spec[list] = resizedContainers(next[list], old[list] ?? [])
  return spec
}

function sameContainers(next: PodSpec, old: PodSpec, errors: Errors): boolean {
  const before = errors.length
  for (const list of LISTS) {
    const [now, then] = [next[list] ?? [], old[list] ?? []]
    if (now.length !== then.length) {
      errors.push(forbidden(`spec.${list}`, `${list} may not be added or removed on resize`))
      continue
    }
    for (const [index, { name }] of then.entries()) {
      if (now[index]!.name === name) continue
      errors.push(forbidden(`spec.${list}[${index}].name`, `${list} may not be renamed or reordered on resize`))
    }
  }
  return errors.length === before
}

const removed = (next: ResourceList = {}, old: ResourceList = {}) => Object.keys(old).some(name => !(name in next))

/** Everything but what may change. */
function fixed({ requests = {}, limits = {}, ...rest }: ResourceRequirements = {}) {
  const others = (list: ResourceList) => Object.fromEntries(Object.entries(list).filter(([name]) => !isResizable(name)))
  return { ...rest, requests: others(requests), limits: others(limits) }
}

function checkPodLevel(next: PodSpec, old: PodSpec, errors: Errors): void {
  if (!next.resources && !old.resources) return
  if (old.resources && !next.resources) {
    errors.push(forbidden('spec.resources', 'pod-level resources cannot be removed'))
    return
  }
  for (const side of ['requests', 'limits'] as const) {
    if (removed(next.resources?.[side], old.resources?.[side])) {
      errors.push(forbidden(`spec.resources.${side}`, `pod-level resource ${side} cannot be removed`))
    }
  }
  if (!sameValue(fixed(next.resources), fixed(old.resources))) {
    errors.push(forbidden('spec', 'only cpu and memory resources are mutable at pod-level'))
  }
}

/** One that runs on a node of old has no resources in its status, and stays as it is. */
function isSupported({ status }: Pod): boolean {
  const running = status?.containerStatuses?.find(each => each.state?.running)
  return running === undefined || running.resources !== undefined
}

/** Resources are changed, never taken away. */
function checkRemoved(next: PodSpec, old: PodSpec, errors: Errors): void {
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [index, { resources }] of (old[list] ?? []).entries()) {
      const now = next[list]![index]!.resources
      const path = `spec.${list}[${index}].resources`
      for (const side of ['requests', 'limits'] as const) {
        if (removed(now?.[side], resources?.[side])) {
          errors.push(forbidden(`${path}.${side}`, `resource ${side} cannot be removed`))
        }
      }
    }
  }
}

/** Upstream takes claims out of the new resources alone: a container that has some is not resized. */
const withoutClaims = ({ claims: _, ...amounts }: ResourceRequirements = {}) => amounts

function checkFixed(next: PodSpec, old: PodSpec, errors: Errors): void {
  const rest = ({ resources, ...container }: Container) => ({ ...container, resources: fixed(resources) })
  const resized = (container: Container) => rest({ ...container, resources: withoutClaims(container.resources) })
  for (const [index, container] of (old.containers ?? []).entries()) {
    if (!sameValue(resized(next.containers[index]!), rest(container))) {
      errors.push(forbidden('spec', 'only cpu and memory resources are mutable'))
    }
  }
  for (const [index, container] of (old.initContainers ?? []).entries()) {
    const now = next.initContainers![index]!
    const path = `spec.initContainers[${index}]`
    if (!sameValue(resized(now), rest(container))) {
      errors.push(forbidden(path, 'only cpu and memory resources for init or sidecar containers are mutable'))
    }
    if (isSidecar(container) || sameValue(now, container)) continue
    if (now.resizePolicy?.some(each => each.restartPolicy === 'RestartContainer')) {
      const why = 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized'
      errors.push(forbidden(path, why))
    }
  }
}

/** Refuses a resize that would change more than amounts of CPU and memory. */
export function checkResize(next: Pod, old: Pod, errors: Errors): void {
  const [now, then] = [next.spec, old.spec]
  if (!now || !then) return
  if (then.os?.name === 'windows') {
    errors.push(forbidden('[]', 'windows pods cannot be resized'))
    return
  }
  if ((old.status?.qosClass ?? qosClass(old)) !== qosClass(next)) {
    errors.push(invalid('spec', old.status?.qosClass, 'Pod QOS Class may not change as a result of resizing'))
  }
  if (!isSupported(old)) errors.push(forbidden('spec', 'Pod running on node without support for resize'))
  checkPodLevel(now, then, errors)
  if (!sameContainers(now, then, errors)) return
  checkRemoved(now, then, errors)
  checkFixed(now, then, errors)
}
