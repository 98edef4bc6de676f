/** The conditions that a node says of itself, in the kubelet's words. Pure. */
import type { Node, NodeCondition } from '../../api/generated/types/core-v1.ts'
import type { Pressure } from '../pressure/thresholds.ts'

type Words = readonly [reason: string, message: string]
type Said = Required<Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>>

/** Of each want: that there is none, and that there is. */
const WORDS: Readonly<Record<Pressure, readonly [well: Words, short: Words]>> = {
  MemoryPressure: [
    ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
  ],
  DiskPressure: [
    ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
  ],
  PIDPressure: [
    ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
  ],
}

const READY: Said = {
  type: 'Ready',
  status: 'True',
  reason: 'KubeletReady',
  message: 'kubelet is posting ready status',
}

const LEAVING: Said = {
  type: 'Ready',
  status: 'False',
  reason: 'KubeletNotReady',
  message: 'node is shutting down',
}

/** All of them, for a node that runs short of these; `leaving`: it is about to stop with its pods. */
export function nodeConditions(pressures: ReadonlySet<Pressure> = new Set(), leaving = false): Said[] {
  const said = Object.entries(WORDS).map(([type, [well, short]]): Said => {
    const isShort = pressures.has(type as Pressure)
    const [reason, message] = isShort ? short : well
    return { type, status: isShort ? 'True' : 'False', reason, message }
  })
  return [...said, leaving ? LEAVING : READY]
}

/** Every condition of the node is there and has the status that the node itself would give it. */
export const agrees = (node: Node, said: readonly Said[]): boolean =>
  said.every(({ type, status }) => node.status?.conditions?.find(each => each.type === type)?.status === status)
