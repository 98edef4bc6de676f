/**
 * A table of nftables as it should be, and what of it does not stand yet. It turns many small changes into one
 * transaction, and knows the whole table for when the kernel's is another.
 */
export interface Table {
  /** Makes a set or a map; `definition` has `{}` in the place of its name. */
  set(name: string, definition: string): void
  dropSet(name: string): void
  chain(name: string, rules: readonly string[]): void
  dropChain(name: string): void
  /** An element; of a map with a value. */
  put(set: string, key: string, value?: string): void
  remove(set: string, key: string): void
  /** Whether something was changed since the last `stands`, be it back and forth. */
  isTouched(): boolean
  /** Commands that lead from what stands to what should be; empty when they are the same. */
  commands(): string
  /** What should be stands now. */
  stands(): void
  /** The whole table, whatever stands. */
  whole(): string
}

/** What stood at the last `stands` of each thing that was changed since: undefined for nothing. */
type Changed<T> = Map<string, T | undefined>

const sameList = (a: readonly string[] | undefined, b: readonly string[] | undefined) => a?.join('\n') === b?.join('\n')
const written = (key: string, value: string) => (value ? `${key} : ${value}` : key)

/** Makes an empty one. `name` is as in `ip tutti-policy`; `base` is what it always has. */
export function createTable(name: string, base: string): Table {
  const sets = new Map<string, string>()
  const chains = new Map<string, readonly string[]>()
  const elements = new Map<string, Map<string, string>>()
  const changedSets: Changed<string> = new Map()
  const changedChains: Changed<readonly string[]> = new Map()
  const changedElements = new Map<string, Changed<string>>()

  function note<T>(changed: Changed<T>, key: string, before: T | undefined) {
    if (!changed.has(key)) changed.set(key, before)
  }
  function noteElement(set: string, key: string) {
    let changed = changedElements.get(set)
    if (!changed) changedElements.set(set, (changed = new Map()))
    note(changed, key, elements.get(set)?.get(key))
  }

  function elementCommands(): { deletes: string[]; adds: string[] } {
    const [deletes, adds]: [string[], string[]] = [[], []]
    for (const [set, changed] of changedElements) {
      // A set that is gone takes its elements along; one that is new has none yet.
      const isNew = changedSets.has(set) && changedSets.get(set) === undefined
      const [gone, come]: [string[], string[]] = [[], []]
      for (const [key, before] of changed) {
        const now = elements.get(set)?.get(key)
        if (now === before) continue
        if (before !== undefined && !isNew) gone.push(key)
        if (now !== undefined) come.push(written(key, now))
      }
      if (changedSets.has(set) && !sets.has(set)) continue
      if (gone.length) deletes.push(`delete element ${name} ${set} { ${gone.join(', ')} }`)
      if (come.length) adds.push(`add element ${name} ${set} { ${come.join(', ')} }`)
    }
    return { deletes, adds }
  }

  const rulesOf = (chain: string, rules: readonly string[]) => rules.map(rule => `add rule ${name} ${chain} ${rule}`)

  return {
    set(set, definition) {
      note(changedSets, set, sets.get(set))
      sets.set(set, definition)
    },
    dropSet(set) {
      note(changedSets, set, sets.get(set))
      for (const key of elements.get(set)?.keys() ?? []) noteElement(set, key)
      sets.delete(set)
      elements.delete(set)
    },
    chain(chain, rules) {
      if (sameList(chains.get(chain), rules)) return
      note(changedChains, chain, chains.get(chain))
      chains.set(chain, rules)
    },
    dropChain(chain) {
      note(changedChains, chain, chains.get(chain))
      chains.delete(chain)
    },
    put(set, key, value = '') {
      noteElement(set, key)
      const own = elements.get(set) ?? new Map<string, string>()
      elements.set(set, own.set(key, value))
    },
    remove(set, key) {
      noteElement(set, key)
      elements.get(set)?.delete(key)
    },
    isTouched: () => changedSets.size + changedChains.size + changedElements.size > 0,
    commands() {
      const [first, flushes, rules, last]: [string[], string[], string[], string[]] = [[], [], [], []]
      for (const [set, before] of changedSets) {
        const now = sets.get(set)
        if (before === undefined && now !== undefined) first.push(`add ${now.replace('{}', `${name} ${set}`)}`)
        if (before !== undefined && now === undefined) last.push(`delete set ${name} ${set}`)
      }
      const goneChains: string[] = []
      for (const [chain, before] of changedChains) {
        const now = chains.get(chain)
        if (sameList(before, now)) continue
        if (before === undefined) first.push(`add chain ${name} ${chain}`)
        else flushes.push(`flush chain ${name} ${chain}`)
        if (now) rules.push(...rulesOf(chain, now))
        else goneChains.push(`delete chain ${name} ${chain}`)
      }
      const { deletes, adds } = elementCommands()
      return [...first, ...flushes, ...deletes, ...rules, ...adds, ...goneChains, ...last].join('\n')
    },
    stands() {
      changedSets.clear()
      changedChains.clear()
      changedElements.clear()
    },
    whole() {
      const lines = [`table ${name}`, `delete table ${name}`, base]
      for (const [set, definition] of sets) lines.push(`add ${definition.replace('{}', `${name} ${set}`)}`)
      for (const chain of chains.keys()) lines.push(`add chain ${name} ${chain}`)
      for (const [chain, rules] of chains) lines.push(...rulesOf(chain, rules))
      for (const [set, own] of elements)
        if (own.size)
          lines.push(`add element ${name} ${set} { ${[...own].map(([key, value]) => written(key, value)).join(', ')} }`)
      return lines.join('\n')
    },
  }
}
