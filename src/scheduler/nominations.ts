/** Pods for which room is being made: each keeps its place on a node while the victims go. */
import type { PodInfo } from './pod-info.ts'

export interface Nomination {
  readonly info: PodInfo
  readonly nodeName: string
  /** uids of pods that still stand there. */
  readonly victims: ReadonlySet<string>
}

export interface Nominations {
  get(uid: string): Nomination | undefined
  set(info: PodInfo, nodeName: string, victims: readonly string[]): void
  remove(uid: string): void
  /** A pod is gone, or will not go: those that waited for it and for nothing else now. */
  gone(victim: string): PodInfo[]
}

/** Makes none. */
export function createNominations(): Nominations {
  const all = new Map<string, { info: PodInfo; nodeName: string; victims: Set<string> }>()
  return {
    get: uid => all.get(uid),
    set(info, nodeName, victims) {
      all.set(info.uid, { info, nodeName, victims: new Set(victims) })
    },
    remove: uid => void all.delete(uid),
    gone(victim) {
      const free: PodInfo[] = []
      for (const { info, victims } of all.values()) if (victims.delete(victim) && victims.size === 0) free.push(info)
      return free
    },
  }
}
