/** What the runtime has of a pod's containers, and what of it is kept. */
import type { ContainerStatus as Instance, RuntimeDriver } from '../runtimes/runtime.ts'
import type { createLastWords } from './last-words.ts'
import type { Slot } from './slot.ts'

/** Instances of a container that are kept: the present one and, for `--previous`, the one before. */
const KEPT = 2

/** The instances of each slot, newest first; older ones are forgotten. */
export async function findInstances(
  runtime: RuntimeDriver,
  podUid: string,
  slots: readonly Slot[],
  lastWords: ReturnType<typeof createLastWords>,
): Promise<ReadonlyMap<Slot, readonly Instance[]>> {
  const all = await runtime.listContainers(podUid)
  const found = slots.map(async slot => {
    const own = all.filter(each => each.name === slot.spec.name)
    own.sort((a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt)
    for (const old of own.splice(KEPT)) void runtime.removeContainer(old.id).catch(() => {})
    return [slot, await Promise.all(own.map(each => lastWords(each, slot.spec, runtime)))] as const
  })
  return new Map(await Promise.all(found))
}
