/** Waits until the caches show what was written. */
import type { KubeObject } from '../api/machinery/object.ts'
import { type Informer, keyOf } from '../client/informer-types.ts'
import type { Written } from './commit.ts'

export interface Sight {
  /** Resolves when the caches show all of these; kinds that are not looked at count as shown. */
  shown(written: readonly Written[]): Promise<void>
  /** Ends every wait. */
  close(): void
}

/** Follows these informers, by kind key. */
export function createSight(informers: ReadonlyMap<string, Informer<KubeObject>>): Sight {
  /** Waits for deletes, by kind and key. */
  const waiting = new Map<string, { readonly isShown: () => boolean; readonly resolve: () => void }[]>()
  let closed = false

  const ends = [...informers].map(([kind, informer]) =>
    informer.onChange(({ previous, current }) => {
      if (waiting.size === 0) return
      const id = `${kind} ${keyOf((current ?? previous)!)}`
      const found = waiting.get(id)
      if (!found) return
      const left = found.filter(each => !each.isShown())
      if (left.length > 0) waiting.set(id, left)
      else waiting.delete(id)
      for (const each of found) if (!left.includes(each)) each.resolve()
    }),
  )

  function removed(kind: string, informer: Informer<KubeObject>, object: KubeObject): Promise<void> {
    const key = keyOf(object)
    const isShown = () => {
      const cached = informer.get(key)
      return (
        !cached || cached.metadata?.uid !== object.metadata?.uid || cached.metadata?.deletionTimestamp !== undefined
      )
    }
    if (closed || isShown()) return Promise.resolve()
    const id = `${kind} ${key}`
    return new Promise(resolve => void waiting.set(id, [...(waiting.get(id) ?? []), { isShown, resolve }]))
  }

  return {
    async shown(written) {
      await Promise.all(
        written.map(({ resource, revision, deleted }) => {
          const informer = informers.get(resource.key)
          if (!informer || closed) return undefined
          return deleted ? removed(resource.key, informer, deleted) : informer.reached(revision)
        }),
      )
    },
    close() {
      closed = true
      for (const end of ends) end()
      for (const list of waiting.values()) for (const each of list) each.resolve()
      waiting.clear()
    },
  }
}
