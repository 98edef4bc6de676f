/** What happens to a pod that no node takes: it is told why, or gets the place of others where its priority allows it. */
import type { PodDisruptionBudget } from '../api/kinds/policy/pod-disruption-budget.ts'
import { hasReason } from '../client/client.ts'
import type { Lister } from '../client/informer-types.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import type { Refusal } from './cycle.ts'
import type { PodInfo } from './pod-info.ts'
import { findRoom, type Room } from './preemption.ts'
import type { State } from './state.ts'
import type { UnderWay } from './under-way.ts'
import type { Writes } from './writes.ts'

/** After a preemption that failed, ms. */
const EVICTION_RETRY_MS = 1000

export interface MakeRoomDeps {
  readonly state: State
  readonly writes: Writes
  readonly underWay: UnderWay
  readonly budgets: Lister<PodDisruptionBudget>
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes the function that is asked when no node takes a pod as things are. It writes until `signal` aborts. */
export function createRoomMaker(
  { state, writes, underWay, budgets, clock, logger }: MakeRoomDeps,
  signal: AbortSignal,
): (info: PodInfo, refusal: Refusal) => void {
  const { snapshot, cycle, queue, nominations, release } = state
  const noRoom = new WeakMap<Refusal, { readonly message: string }>()

  function refuse(info: PodInfo, message: string, { plugins: refusedBy }: Refusal, room?: Room) {
    queue.park(info.uid, refusedBy)
    underWay.follow(writes.unschedulable(info, message, room?.nodeName ?? null), error => {
      if (!hasReason(error, 'NotFound', 'Conflict'))
        logger.warn({ err: error, pod: info.key }, 'a status could not be written')
    })
  }
  function onEvictionFailed(victim: PodInfo, error: unknown) {
    if (signal.aborted) return
    // It is gone, or another one has its name: the informer will tell.
    if (hasReason(error, 'NotFound', 'Conflict')) return
    logger.warn({ err: error, pod: victim.key }, 'a pod could not be preempted; trying again')
    clock.after(EVICTION_RETRY_MS, () => release(victim.uid))
  }
  /** It had only been promised a place: it looks for another one. */
  function push(info: PodInfo) {
    nominations.remove(info.uid)
    snapshot.removePod(info.uid)
    queue.add(info)
  }
  function take(room: Room, info: PodInfo, refusal: Refusal) {
    const { nodeName, victims } = room
    const isPromised = (victim: PodInfo) => nominations.get(victim.uid) !== undefined
    const promised = victims.filter(isPromised)
    const leaving = victims.filter(victim => !isPromised(victim))
    promised.forEach(push)
    nominations.set(
      info,
      nodeName,
      leaving.map(each => each.uid),
    )
    snapshot.addPod(info, nodeName)
    refuse(info, refusal.message, refusal, room)
    for (const each of leaving)
      underWay.follow(writes.evict(each, info, nodeName), error => onEvictionFailed(each, error))
    if (leaving.length === 0) queue.add(info)
  }

  return (info, refusal) => {
    nominations.remove(info.uid)
    if (snapshot.size === 0) return refuse(info, refusal.message, refusal)
    // Where nothing stands below it the answer is the same for all of its class.
    const isLowest = info.priority <= snapshot.lowestPriority() && info.pod.spec?.preemptionPolicy !== 'Never'
    const known = isLowest ? noRoom.get(refusal) : undefined
    const found = known ?? findRoom(info, snapshot, cycle.ask(info), budgets.list())
    if ('message' in found) {
      if (isLowest) noRoom.set(refusal, found)
      return refuse(info, `${refusal.message} preemption: ${found.message}`, refusal)
    }
    take(found, info, refusal)
  }
}
