import type { KubeObject } from '../../api/machinery/object.ts'
import type { KindReader } from '../registry/registry.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts'
import type { Pod, PodSpec, Toleration } from './pod-shape.ts'
import { refuse } from './refusal.ts'

interface RuntimeClass extends KubeObject {
  overhead?: { podFixed?: Record<string, string> }
  scheduling?: { nodeSelector?: Record<string, string>; tolerations?: Toleration[] }
}

const same = (a: Record<string, string> = {}, b: Record<string, string> = {}) =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value)

const tolerationKey = ({ key, operator, value, effect, tolerationSeconds }: Toleration) =>
  JSON.stringify([key ?? '', operator || 'Equal', value ?? '', effect ?? '', tolerationSeconds ?? null])

function schedule(request: AdmissionAttributes, spec: PodSpec, scheduling: RuntimeClass['scheduling']): void {
  for (const [key, value] of Object.entries(scheduling?.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key]
    if (own !== undefined && own !== value)
      throw refuse(
        request,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
      )
    spec.nodeSelector = { ...spec.nodeSelector, [key]: value }
  }
  const known = new Set((spec.tolerations ?? []).map(tolerationKey))
  const added = (scheduling?.tolerations ?? []).filter(each => !known.has(tolerationKey(each)))
  if (added.length) spec.tolerations = [...(spec.tolerations ?? []), ...added]
}

/** RuntimeClass: the class must exist; its overhead and scheduling become the pod's. */
export function runtimeClass(classes: KindReader): AdmissionPlugin {
  const find = (request: AdmissionAttributes, { runtimeClassName: name }: PodSpec): RuntimeClass | undefined => {
    if (!name) return undefined
    const found = classes.get('', name)
    if (!found) throw refuse(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
    return found.value as RuntimeClass
  }
  return {
    name: 'RuntimeClass',
    handles: ({ kind, subresource, operation }) =>
      kind.key === 'v1/pods' && subresource === '' && operation === 'CREATE',
    mutate(request) {
      const { spec } = request.object as Pod
      const found = find(request, spec)
      const fixed = found?.overhead?.podFixed
      if (fixed) {
        if (spec.overhead && Object.keys(spec.overhead).length && !same(spec.overhead, fixed))
          throw refuse(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
        spec.overhead = { ...fixed }
      }
      schedule(request, spec, found?.scheduling)
    },
    validate(request) {
      const { spec } = request.object as Pod
      const found = find(request, spec)
      if (found?.overhead) {
        if (!same(spec.overhead, found.overhead.podFixed))
          throw refuse(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
      } else if (spec.overhead)
        throw refuse(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
    },
  }
}
