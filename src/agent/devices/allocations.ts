/** Which devices containers have been given: kept in a file, for a later life of the node. */
import { readJsonFile, writeFileAtomic } from '../../lib/atomic-file.ts'
import type { Allocated } from './messages.ts'

/** Devices of one resource that a container has. */
export interface Grant {
  readonly ids: readonly string[]
  readonly answer: Allocated
}

/** By resource. */
export type Grants = Readonly<Record<string, Grant>>

interface State {
  /** Resources that plugins have registered. */
  readonly resources: readonly string[]
  /** Pod's uid → container → grants. */
  readonly pods: Readonly<Record<string, Readonly<Record<string, Grants>>>>
}

export interface Allocations {
  readonly resources: ReadonlySet<string>
  /** Undefined where a container has none. */
  of(uid: string, container: string): Grants | undefined
  pods(): readonly string[]
  /** Ids of a resource that any pod has. */
  taken(resource: string): Set<string>
  add(uid: string, container: string, grants: Grants): void
  remove(uid: string): void
  know(resource: string): void
  forget(resource: string): void
}

/** Over a file, which may be missing or broken: then nobody has anything. */
export function openAllocations(file: string): Allocations {
  const kept = readJsonFile<Partial<State>>(file)
  let pods = kept?.pods ?? {}
  const known = new Set(kept?.resources)
  const save = () => writeFileAtomic(file, JSON.stringify({ resources: [...known], pods } satisfies State))
  return {
    resources: known,
    of: (uid, container) => pods[uid]?.[container],
    pods: () => Object.keys(pods),
    taken(resource) {
      const all = Object.values(pods).flatMap(containers => Object.values(containers))
      return new Set(all.flatMap(grants => grants[resource]?.ids ?? []))
    },
    add(uid, container, grants) {
      const before = pods[uid]?.[container]
      pods = { ...pods, [uid]: { ...pods[uid], [container]: { ...before, ...grants } } }
      save()
    },
    remove(uid) {
      if (!pods[uid]) return
      const { [uid]: _, ...rest } = pods
      pods = rest
      save()
    },
    know(resource) {
      if (known.has(resource)) return
      known.add(resource)
      save()
    },
    forget(resource) {
      if (known.delete(resource)) save()
    },
  }
}
