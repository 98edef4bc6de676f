import { ArrayList, CelList, type Value } from '../values.ts'
import { work } from '../work.ts'

/** Lists whose `+` is not that of their order (sets, keyed lists) say so by this. */
export interface OwnConcatenation {
  plus(other: CelList): CelList
}

/** `left + right` without copying either. */
export function concatenated(left: CelList, right: CelList): CelList {
  if ('plus' in left) return (left as unknown as OwnConcatenation).plus(right)
  if (left.size === 0) return right
  if (right.size === 0) return left
  if (left.size + right.size <= SMALL) return new ArrayList([...left, ...right])
  return new Joined(left, right)
}

/** Below this many elements copying is cheaper than two lists. */
const SMALL = 32

/** Two lists seen as one; flat again once it was read, so that chains of `+` do not become deep. */
class Joined extends CelList {
  readonly size: number
  #flat: Value[] | undefined
  readonly #parts: readonly [CelList, CelList]

  constructor(left: CelList, right: CelList) {
    super()
    this.size = left.size + right.size
    this.#parts = [left, right]
  }

  at(index: number): Value {
    this.#flat ??= this.#flatten()
    return this.#flat[index] as Value
  }

  #flatten(): Value[] {
    work(this.size)
    const items: Value[] = []
    const open: CelList[] = [this]
    while (open.length > 0) {
      const list = open.pop() as CelList
      if (list instanceof Joined && list.#flat === undefined) open.push(list.#parts[1], list.#parts[0])
      else for (const item of list) items.push(item)
    }
    return items
  }
}
