import { isReady as saysReady } from '../../src/api/kinds/core/ready.ts'
import type { BenchCluster } from './cluster.ts'

export interface Follower {
  /** Objects of a collection by name, kept current by a watch. */
  follow<T extends { readonly metadata: { readonly name: string } }>(path: string): Map<string, T>
  /** Resolves with the time when the condition holds, looked at after every change; rejects after `limit` ms. */
  until(what: string, condition: () => boolean, limit?: number): Promise<number>
}

/** Follows collections of a cluster. */
export function createFollower(cluster: BenchCluster): Follower {
  const waiters = new Set<() => void>()
  return {
    follow<T extends { readonly metadata: { readonly name: string } }>(path: string) {
      const state = new Map<string, T>()
      let rest = ''
      cluster.watch(`${path}?watch=true`, chunk => {
        const lines = (rest + chunk.toString()).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          const { type, object } = JSON.parse(line)
          if (type === 'DELETED') state.delete(object.metadata.name)
          else if (object.metadata?.name) state.set(object.metadata.name, object)
        }
        for (const check of [...waiters]) check()
      })
      return state
    },
    until: (what, condition, limit = 60_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiters.delete(check)
          reject(new Error(`gave up after ${limit} ms: ${what}`))
        }, limit)
        const check = () => {
          if (!condition()) return
          waiters.delete(check)
          clearTimeout(timer)
          resolve(performance.now())
        }
        waiters.add(check)
        check()
      }),
  }
}

export interface PodState {
  readonly metadata: { readonly name: string }
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

export const isReady = (pod: PodState | undefined): boolean => pod !== undefined && saysReady(pod)
