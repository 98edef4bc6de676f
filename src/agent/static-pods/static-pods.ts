/** Static pods: a worker and a mirror for each manifest of the folder. */
import type { Node, Pod } from '../../api/generated/types/core-v1.ts'
import type { Client } from '../../client/client.ts'
import { keyOf } from '../../client/informer-types.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { deleteNow } from '../pod/delete-ended.ts'
import { DEFAULT_GRACE_S } from '../pod/grace.ts'
import { followFolder } from './folder.ts'
import { MIRROR } from './manifest.ts'
import { isMirror, keepMirror, type Mirror } from './mirror.ts'

export interface StaticPodsDeps {
  readonly directory: string
  readonly node: Node
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  /** What the API has on this node under `namespace/name`. */
  find(key: string): Pod | undefined
  /** Runs the pod with a client of its own; the promise resolves when nothing is left of it. */
  run(pod: Pod, client: Client): { end(pod: Pod): void; readonly ended: Promise<void> }
}

export interface StaticPods {
  /** Starts them: what no pod owns is gone by now. */
  begin(): void
  /** uids of pods that run or shall run. */
  uids(): Iterable<string>
  /** The uid of the pod whose mirror has this one. */
  ofMirror(uid: string): string | undefined
  /** The API has news of an object: whether that is a matter of static pods only. */
  seen(pod: Pod): boolean
}

/** Resolves when the folder has been read. */
export async function createStaticPods(deps: StaticPodsDeps, signal: AbortSignal): Promise<StaticPods> {
  const { node, client, clock, logger } = deps
  interface Running {
    readonly pod: Pod
    readonly mirror: Mirror
    end(pod: Pod): void
    isEnding: boolean
  }
  const running = new Map<string, Running>()
  let wanted: ReadonlyMap<string, Pod> = new Map()
  let begun = false

  /** The pod as an earlier life of the node left it. */
  function asLeft(pod: Pod): Pod {
    const found = deps.find(keyOf(pod))
    const isOwn = found?.metadata?.annotations?.[MIRROR] === pod.metadata?.uid
    return isOwn && found?.status ? { ...pod, status: found.status } : pod
  }
  function start(pod: Pod) {
    const uid = pod.metadata?.uid ?? ''
    const mirror = keepMirror({ client, clock, logger, node, current: () => deps.find(keyOf(pod)) }, pod, signal)
    const { end, ended } = deps.run(asLeft(pod), mirror.client)
    running.set(uid, { pod, mirror, end, isEnding: false })
    void ended.then(() => {
      running.delete(uid)
      settle()
    })
  }
  /** Ends what is wanted no more, and starts what is, one pod of a name at a time. */
  function settle() {
    if (!begun || signal.aborted) return
    const uids = new Set([...wanted.values()].map(pod => pod.metadata?.uid))
    for (const [uid, each] of running) {
      if (uids.has(uid) || each.isEnding) continue
      each.isEnding = true
      const seconds = each.pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S
      const deletionTimestamp = new Date(clock.now() + seconds * 1000).toISOString()
      each.end({
        ...each.pod,
        metadata: { ...each.pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: seconds },
      })
    }
    const names = new Set([...running.values()].map(({ pod }) => keyOf(pod)))
    for (const pod of wanted.values()) {
      if (names.has(keyOf(pod))) continue
      names.add(keyOf(pod))
      start(pod)
    }
  }

  const { directory } = deps
  const changed = (pods: ReadonlyMap<string, Pod>) => {
    wanted = pods
    settle()
  }
  await followFolder({ directory, nodeName: node.metadata?.name ?? '', clock, logger, changed }, signal)
  return {
    begin() {
      begun = true
      settle()
    },
    *uids() {
      for (const pod of wanted.values()) yield pod.metadata?.uid ?? ''
      yield* running.keys()
    },
    ofMirror(uid) {
      for (const [own, { mirror }] of running) if (mirror.uid() === uid) return own
      return undefined
    },
    seen(pod) {
      const own = [...running.values()].filter(each => keyOf(each.pod) === keyOf(pod))
      for (const { mirror } of own) mirror.seen()
      const isLeft = own.length === 0 && isMirror(pod) && deps.find(keyOf(pod)) !== undefined
      // Its manifest went while nobody looked.
      if (isLeft) void deleteNow(client, pod).catch(error => logger.warn({ err: error }, 'a mirror pod was left'))
      return isMirror(pod)
    },
  }
}
