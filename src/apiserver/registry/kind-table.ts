import type { Kind } from '../../api/machinery/kind.ts'
import { kindKey } from '../../api/machinery/kind.ts'

/** The kinds that are served; they may come and go while the server runs. */
export interface KindTable {
  all(): readonly Kind[]
  /** By `kindKey(group, version, plural)`. */
  get(key: string): Kind | undefined
  /** By the parts of a path. */
  find(group: string, version: string, plural: string): Kind | undefined
  /** By apiVersion and kind name. */
  of(apiVersion: string, kind: string): Kind | undefined
  set(kind: Kind): void
  delete(key: string): void
  /** Rises with every change: what was derived from an older number is out of date. */
  generation(): number
}

/** Makes a table. */
export function kindTable(kinds: readonly Kind[]): KindTable {
  const byKey = new Map<string, Kind>()
  const byName = new Map<string, Kind>()
  let list: readonly Kind[] | undefined
  let generation = 0
  const set = (kind: Kind) => {
    byKey.set(kind.key, kind)
    byName.set(`${kind.apiVersion}/${kind.kind}`, kind)
    list = undefined
    generation++
  }
  for (const kind of kinds) set(kind)
  return {
    all: () => (list ??= [...byKey.values()]),
    get: key => byKey.get(key),
    find: (group, version, plural) => byKey.get(kindKey(group, version, plural)),
    of: (apiVersion, kind) => byName.get(`${apiVersion}/${kind}`),
    set,
    delete(key) {
      const kind = byKey.get(key)
      if (!kind) return
      byKey.delete(key)
      byName.delete(`${kind.apiVersion}/${kind.kind}`)
      list = undefined
      generation++
    },
    generation: () => generation,
  }
}
