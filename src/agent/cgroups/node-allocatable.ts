/** Holds all pods of a node together within what is theirs: what the machine keeps for itself stays its own (KEP-17). */
import { quantityValue } from '../../api/machinery/quantity.ts'
import type { Machine } from '../node/machine.ts'
import { openCgroups } from './cgroups.ts'
import { PODS_GROUP } from './pod-group.ts'
import type { Slices } from './slices.ts'

/**
 * Limits the memory of the group that all pods are in, below `root`, the node's own; no limit where nothing is reserved.
 * A limit below what pods have already is not taken by the kernel. Nothing happens where there are no control groups.
 * Where systemd makes the groups of containers (`slices`), these are limited by themselves, as processes are.
 */
export async function enforceAllocatable(
  root: string,
  { capacity, allocatable = capacity }: Machine,
  slices?: Pick<Slices, 'create'>,
): Promise<void> {
  const memory = (of: Readonly<Record<string, string>>) => quantityValue(of.memory ?? '0')
  const isReserved = memory(allocatable) < memory(capacity)
  const limit = { memoryLimit: isReserved ? memory(allocatable) : -1 }
  openCgroups(root)?.create(PODS_GROUP, limit)
  await slices?.create(PODS_GROUP, limit)
}
