/** The pods of a node by uid, each with its worker; and the watch over what they have on its disk. */
import { join } from 'node:path'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { isFinished } from '../../api/kinds/core/finished.ts'
import { notFound } from '../../api/machinery/status-error.ts'
import type { PodRef } from '../../client/node-api.ts'
import type { Clock } from '../../lib/clock.ts'
import { inOrder } from '../admission.ts'
import { measurePod } from '../disk/measure.ts'
import { createDiskWatch } from '../disk/watch.ts'
import { pods } from '../resources.ts'
import { EVICTED, type PodDeps } from './deps.ts'
import { createPodWorker, type PodWorker } from './worker.ts'

export interface PodWorkersDeps {
  readonly clock: Clock
  readonly podsDirectory: string
  /** Bytes in use on the disks where pods write. */
  diskUsed(): number
}

export interface PodWorkers {
  get(uid: string): PodWorker | undefined
  all(): Iterable<PodWorker>
  uids(): Iterable<string>
  /** Begins the life of a pod, or takes it up. */
  begin(pod: Pod, deps: PodDeps): PodWorker
  /** The pod's object as it is now; false for a pod without a worker. */
  update(pod: Pod): boolean
  /** All other pods that take of the node, with what each has been given. */
  others(pod: Pod): Pod[]
  /** The pod is known, and has not ended. */
  holds(uid: string): boolean
  /** Throws a `StatusError` where there is none. */
  find(namespace: string, name: string, uid?: string): PodRef
  /** A pod takes less of the node than before, or nothing: those that wait for room are looked at again. */
  freed(): void
  /** Stops caring; workloads go on. */
  release(): void
}

/** Has none yet. */
export function createPodWorkers({ clock, podsDirectory, diskUsed }: PodWorkersDeps): PodWorkers {
  const workers = new Map<string, PodWorker>()
  const of = ({ metadata }: Pod) => workers.get(metadata?.uid ?? '')
  const disk = createDiskWatch({
    clock,
    used: diskUsed,
    async measure(pod) {
      const worker = of(pod)
      return worker && measurePod(pod, worker, join(podsDirectory, worker.uid))
    },
    exceeded: (pod, message) => of(pod)?.evict({ reason: EVICTED, message }),
  })
  function freed() {
    for (const worker of inOrder([...workers.values()].filter(each => each.waits()))) worker.changed()
  }

  return {
    get: uid => workers.get(uid),
    all: () => workers.values(),
    uids: () => workers.keys(),
    begin(pod, deps) {
      const worker = createPodWorker(deps, pod)
      const { uid } = worker
      workers.set(uid, worker)
      disk.follow(pod)
      void worker.ended.then(() => {
        disk.forget(uid)
        workers.delete(uid)
        freed()
      })
      return worker
    },
    update(pod) {
      const known = of(pod)
      if (!known) return false
      known.update(pod)
      disk.follow(pod)
      return true
    },
    others: pod =>
      [...workers.values()]
        .map(each => each.allocated())
        .filter(each => each.metadata?.uid !== pod.metadata?.uid && !isFinished(each)),
    holds(uid) {
      const worker = workers.get(uid)
      return worker !== undefined && !isFinished(worker.pod())
    },
    find(namespace, name, uid) {
      for (const [id, worker] of workers) {
        const { metadata } = worker.pod()
        if (metadata?.namespace === namespace && metadata.name === name && (uid === undefined || uid === id))
          return { namespace, name, uid: id }
      }
      throw notFound(pods, name)
    },
    freed,
    release() {
      disk.close()
      for (const worker of workers.values()) worker.release()
    },
  }
}
