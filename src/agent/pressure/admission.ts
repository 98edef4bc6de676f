/** Whether a node in want takes a pod: the kubelet's rules. Pure. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { qosClass } from '../../api/kinds/core/resources.ts'
import { toleratesAny } from '../../api/machinery/node-match.ts'
import { EVICTED, type Refusal } from '../pod/deps.ts'
import { isCritical } from '../pod/object.ts'
import type { Pressure } from './thresholds.ts'

const MEMORY_TAINT = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' } as const

/** Undefined: the pod may run. */
export function pressureRefusal(pod: Pod, conditions: ReadonlySet<Pressure>): Refusal | undefined {
  if (!conditions.size || isCritical(pod)) return undefined
  const isMemoryOnly = conditions.size === 1 && conditions.has('MemoryPressure')
  // Who has requested memory has it.
  if (isMemoryOnly && (qosClass(pod) !== 'BestEffort' || toleratesAny(pod.spec?.tolerations ?? [], MEMORY_TAINT)))
    return undefined
  return { reason: EVICTED, message: `The node had condition: [${[...conditions].join(' ')}]. ` }
}
