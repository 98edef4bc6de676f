import type { Plugin } from '../plugin.ts'

const used = (allocatable: number, amount: number) => (allocatable <= 0 ? 1 : Math.min(1, amount / allocatable))

/** Cpu and memory of a node should fill up alike. */
export const nodeResourcesBalanced: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  prepare({ requests }, { snapshot: { cpu, memory } }) {
    // As upstream: pods that ask for nothing do not change the balance.
    if (requests.cpu === 0 && requests.memory === 0) return undefined
    return {
      score(slot) {
        const ofCpu = used(cpu.allocatable[slot]!, cpu.requested[slot]! + requests.cpu)
        const ofMemory = used(memory.allocatable[slot]!, memory.requested[slot]! + requests.memory)
        return 100 * (1 - Math.abs(ofCpu - ofMemory) / 2)
      },
    }
  },
  wokenBy: [],
  mayHelp: () => false,
}
