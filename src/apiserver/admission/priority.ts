import type { KubeObject } from '../../api/machinery/object.ts'
import type { KindReader } from '../registry/registry.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts'
import type { Pod } from './pod-shape.ts'
import { refuse } from './refusal.ts'

interface PriorityClass extends KubeObject {
  value: number
  globalDefault?: boolean
  preemptionPolicy?: string
}

/** Priority: turns a pod's class into its number, and lets one class only be the default. */
export function priority(classes: KindReader): AdmissionPlugin {
  /** Of several defaults, which only a race can make, the lowest. */
  const defaultClass = (): PriorityClass | undefined => {
    let found: PriorityClass | undefined
    for (const { value } of classes.list()) {
      const each = value as PriorityClass
      if (each.globalDefault && (!found || each.value < found.value)) found = each
    }
    return found
  }

  const resolve = (request: AdmissionAttributes, name: string | undefined) => {
    if (!name) {
      const found = defaultClass()
      if (!found) return { name: '', value: 0, policy: 'PreemptLowerPriority' }
      return { name: found.metadata?.name ?? '', value: found.value, policy: found.preemptionPolicy }
    }
    const found = classes.get('', name)?.value as PriorityClass | undefined
    if (!found) throw refuse(request, `no PriorityClass with name ${name} was found`)
    return { name, value: found.value, policy: found.preemptionPolicy }
  }

  const admitNew = (request: AdmissionAttributes, { spec }: Pod) => {
    const { name, value, policy } = resolve(request, spec.priorityClassName)
    const computed = 'priority admission controller computed'
    if (spec.priority !== undefined && spec.priority !== value)
      throw refuse(
        request,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; ${computed} ${value} from the given PriorityClass name`,
      )
    if (policy && spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
      throw refuse(
        request,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; ${computed} ${policy} from the given PriorityClass name`,
      )
    if (name) spec.priorityClassName = name
    spec.priority = value
    if (policy) spec.preemptionPolicy = policy
  }

  const keep = ({ spec }: Pod, { spec: old }: Pod) => {
    if (spec.priority === undefined && old.priority !== undefined) spec.priority = old.priority
    if (spec.preemptionPolicy === undefined && old.preemptionPolicy) spec.preemptionPolicy = old.preemptionPolicy
  }

  return {
    name: 'Priority',
    handles: ({ kind, subresource, operation }) =>
      subresource === '' &&
      (operation === 'CREATE' || operation === 'UPDATE') &&
      (kind.key === 'v1/pods' || kind.plural === 'priorityclasses'),
    mutate(request) {
      if (request.kind.key !== 'v1/pods') return
      if (request.operation === 'CREATE') admitNew(request, request.object as Pod)
      else keep(request.object as Pod, request.old as Pod)
    },
    validate(request) {
      if (request.kind.plural !== 'priorityclasses') return
      const next = request.object as PriorityClass
      const known = next.globalDefault ? defaultClass() : undefined
      if (known && (request.operation === 'CREATE' || known.metadata?.name !== next.metadata?.name))
        throw refuse(
          request,
          `PriorityClass ${known.metadata?.name} is already marked as default. Only one default can exist`,
        )
    },
  }
}
