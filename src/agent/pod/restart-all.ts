/**
 * Rules by which the end of one container starts the whole pod anew in its sandbox (KEP-5532): all others are killed
 * and forgotten, and everything begins with the first init container.
 */
import type { ContainerStatus, Pod } from '../../api/generated/types/core-v1.ts'
import type { RuntimeDriver } from '../runtimes/runtime.ts'
import { allContainers } from './object.ts'
import { ruleFor } from './restart.ts'
import type { Slot } from './slot.ts'

const ACTION = 'RestartAllContainers'
export const REASON = 'RestartingAllContainers'

/** Whether the pod has such a rule. */
export const couldRestartAll = (pod: Pod): boolean =>
  allContainers(pod).some(each => each.restartPolicyRules?.some(rule => rule.action === ACTION))

/** Its newest instance has ended in a way that starts everything anew. */
export function startsAll({ spec, instances: [latest], sort }: Slot): boolean {
  if (sort === 'ephemeral' || latest?.state !== 'exited') return false
  return ruleFor(spec.restartPolicyRules, latest.exitCode ?? 0)?.action === ACTION
}

/** It is under way, by the status that an earlier life of the node left. */
export const isRestartingAll = ({ status }: Pod): boolean =>
  status?.conditions?.some(each => each.type === 'AllContainersRestarting' && each.status === 'True') ?? false

/** Notes which instances are to go: those that there are, or by a status that an earlier life left (`told`). */
export function markAll(slots: readonly Slot[], told?: readonly ContainerStatus[]): void {
  for (const slot of slots) {
    if (slot.sort === 'ephemeral') continue
    const { restartCount } = told?.find(each => each.name === slot.spec.name) ?? {}
    slot.goes = told ? restartCount : slot.instances[0]?.attempt
  }
}

/** Its newest instance is one that is to go. */
export const goes = (slot: Slot): boolean =>
  slot.goes !== undefined && slot.instances[0] !== undefined && slot.instances[0].attempt <= slot.goes

/**
 * Forgets every instance that is to go, those last that were the cause: whoever takes over in the middle sees that it
 * has to go on. What each was is kept in its slot. `forgotten` is called in the very moment when all slots are empty.
 */
export async function resetAll(driver: RuntimeDriver, slots: readonly Slot[], forgotten: () => void): Promise<void> {
  const order = [...slots.filter(slot => !startsAll(slot)), ...slots.filter(startsAll)]
  for (const { instances, goes: last = -1 } of order) {
    for (const { id, attempt } of instances) if (attempt <= last) await driver.removeContainer(id)
  }
  for (const slot of slots) {
    if (slot.goes !== undefined && (goes(slot) || slot.instances.length === 0)) {
      slot.anew = 'all'
      slot.instances = []
      slot.lost = { terminated: ENDED, restartCount: slot.goes }
    }
    slot.goes = undefined
  }
  forgotten()
}

const ENDED = {
  exitCode: 137,
  reason: REASON,
  message: 'The container is removed because RestartAllContainers in place',
  startedAt: null as unknown as string,
  finishedAt: null as unknown as string,
}
