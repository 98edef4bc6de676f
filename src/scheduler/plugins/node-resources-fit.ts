import type { Plugin } from '../plugin.ts'
import type { Amounts } from '../pod-info.ts'
import type { Column, Snapshot } from '../snapshot.ts'

const lacks = ({ allocatable, requested }: Column, slot: number, amount: number) =>
  amount > 0 && amount > allocatable[slot]! - requested[slot]!

/** Why a pod does not fit; undefined where it does. */
function shortages(requests: Amounts, snapshot: Snapshot, slot: number): string[] | undefined {
  const { count, cpu, memory, storage } = snapshot
  const fits = !lacks(count, slot, 1) && !lacks(cpu, slot, requests.cpu) && !lacks(memory, slot, requests.memory)
  if (fits && requests.others.size === 0 && !lacks(storage, slot, requests.storage)) return undefined
  const reasons: string[] = []
  if (lacks(count, slot, 1)) reasons.push('Too many pods')
  if (lacks(cpu, slot, requests.cpu)) reasons.push('Insufficient cpu')
  if (lacks(memory, slot, requests.memory)) reasons.push('Insufficient memory')
  if (lacks(storage, slot, requests.storage)) reasons.push('Insufficient ephemeral-storage')
  for (const [name, amount] of requests.others) {
    const column = snapshot.other(name)
    if (!column || lacks(column, slot, amount)) reasons.push(`Insufficient ${name}`)
  }
  return reasons.length > 0 ? reasons : undefined
}

/** More than the node has, were it empty. */
function isTooLarge(requests: Amounts, snapshot: Snapshot, slot: number): boolean {
  const { cpu, memory, storage } = snapshot
  const exceeds = (column: Column | undefined, amount: number) =>
    amount > 0 && amount > (column?.allocatable[slot] ?? 0)
  return (
    exceeds(cpu, requests.cpu) ||
    exceeds(memory, requests.memory) ||
    exceeds(storage, requests.storage) ||
    [...requests.others].some(([name, amount]) => exceeds(snapshot.other(name), amount))
  )
}

/** Part of `allocatable` that would be left, 0 to 1. */
const left = (allocatable: number, used: number) =>
  allocatable <= 0 || used >= allocatable ? 0 : (allocatable - used) / allocatable

/** Requests must fit; the emptier a node stays, the better (least allocated, cpu and memory alike). */
export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  weight: 1,
  prepare({ requests }, { snapshot }) {
    const { cpu, memory } = snapshot
    const ownCpu = requests.cpu || 100
    const ownMemory = requests.memory || 200 * 1024 * 1024
    return {
      filter: slot => shortages(requests, snapshot, slot),
      hopeless: slot => isTooLarge(requests, snapshot, slot),
      score: slot =>
        50 * left(cpu.allocatable[slot]!, snapshot.likelyCpu[slot]! + ownCpu) +
        50 * left(memory.allocatable[slot]!, snapshot.likelyMemory[slot]! + ownMemory),
    }
  },
  wokenBy: ['node', 'pod-gone'],
  mayHelp: (event, { requests }, { snapshot }) => {
    const nodeName =
      event.type === 'node' ? event.current.metadata?.name : event.type === 'pod-gone' ? event.nodeName : undefined
    const slot = snapshot.slotOf(nodeName ?? '')
    return slot !== undefined && !shortages(requests, snapshot, slot)
  },
}
