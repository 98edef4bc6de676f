/** A binary heap: the element that comes before all others is at hand. */
export interface Heap<T> {
  readonly size: number
  push(item: T): void
  peek(): T | undefined
  pop(): T | undefined
}

/** Makes an empty one; `before` says whether `a` comes before `b`. */
export function createHeap<T>(before: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = []
  const swap = (a: number, b: number) => {
    const kept = items[a]!
    items[a] = items[b]!
    items[b] = kept
  }
  return {
    get size() {
      return items.length
    },
    push(item) {
      let at = items.push(item) - 1
      for (let parent = (at - 1) >> 1; at > 0 && before(items[at]!, items[parent]!); parent = (at - 1) >> 1) {
        swap(at, parent)
        at = parent
      }
    },
    peek: () => items[0],
    pop() {
      const [first] = items
      const last = items.pop()
      if (items.length === 0 || last === undefined) return first
      items[0] = last
      for (let at = 0; ; ) {
        const left = 2 * at + 1
        let least = at
        if (left < items.length && before(items[left]!, items[least]!)) least = left
        if (left + 1 < items.length && before(items[left + 1]!, items[least]!)) least = left + 1
        if (least === at) return first
        swap(at, least)
        at = least
      }
    },
  }
}
