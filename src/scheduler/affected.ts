/** Answers of `Prepared.affected` for plugins whose answers change for all nodes or for none. */

export const NO_SLOTS: ReadonlySet<number> = new Set()

/** All slots where `read` gives something else than at the last call, which `before` is at first; else none. */
export function whenChanged<T>(read: () => T, before: T = read()): () => ReadonlySet<number> | 'all' {
  let last = before
  return () => {
    const now = read()
    const isSame = now === last
    last = now
    return isSame ? NO_SLOTS : 'all'
  }
}
