/**
 * Pods that wait for a node: first those of higher priority, among equals the one that came first. A pod that found
 * none is parked until something happens that may help it, and is not tried again before its back-off is over.
 */
import type { Clock, Timer } from '../lib/clock.ts'
import { createHeap } from './heap.ts'
import type { PodInfo } from './pod-info.ts'

/** A pod in the queue. */
export interface Waiting {
  readonly info: PodInfo
  /** How often it was tried. */
  readonly attempts: number
  /** Names of the plugins that refused it last. */
  readonly refusedBy: ReadonlySet<string>
}

export interface SchedulingQueue {
  /** A new pod, or a known one that changed: it is tried soon. */
  add(info: PodInfo): void
  /** It was placed elsewhere or is gone. */
  remove(uid: string): void
  has(uid: string): boolean
  /** The next one, which stays known until `park`, `retry` or `remove`. */
  pop(): Waiting | undefined
  /** No node would take it. */
  park(uid: string, refusedBy: ReadonlySet<string>): void
  /** Something went wrong: it is tried again after its back-off. */
  retry(uid: string): void
  /** Lets those try again that `plugin` refused and for which `mayHelp` holds. */
  wake(plugin: string, mayHelp: (pod: Waiting) => boolean): void
  /** Whether there is something to pop. */
  hasNext(): boolean
  /** Pods that could be tried now, and those that are parked. */
  depth(): { readonly active: number; readonly backOff: number; readonly parked: number }
  close(): void
}

/** First and longest back-off, ms (upstream's podInitialBackoffSeconds and podMaxBackoffSeconds). */
const BACK_OFF_MS = 1000
const BACK_OFF_MAX_MS = 10_000

interface Entry {
  info: PodInfo
  attempts: number
  refusedBy: ReadonlySet<string>
  state: 'active' | 'back-off' | 'parked' | 'in-hand'
  /** Its place among those of its priority. */
  readonly order: number
  /** When it may be tried again, ms since the epoch. */
  due: number
}

/** Makes an empty one. `onReady` is called when there is something to pop and there was not. */
export function createQueue(clock: Clock, onReady: () => void): SchedulingQueue {
  const entries = new Map<string, Entry>()
  const parked = new Map<string, Set<Entry>>()
  const active = createHeap<Entry>((a, b) =>
    a.info.priority === b.info.priority ? a.order < b.order : a.info.priority > b.info.priority,
  )
  const resting = createHeap<Entry>((a, b) => a.due < b.due)
  let order = 0
  let timer: Timer | undefined

  const isCurrent = (entry: Entry, state: Entry['state']) =>
    entry.state === state && entries.get(entry.info.uid) === entry

  function unpark(entry: Entry) {
    for (const plugin of entry.refusedBy) parked.get(plugin)?.delete(entry)
  }
  function activate(entry: Entry) {
    entry.state = 'active'
    active.push(entry)
    onReady()
  }
  function rest(entry: Entry) {
    if (entry.due <= clock.elapsed()) return activate(entry)
    entry.state = 'back-off'
    resting.push(entry)
    arm()
  }
  function arm() {
    timer?.cancel()
    timer = undefined
    const next = resting.peek()
    if (next) timer = clock.after(Math.max(0, next.due - clock.elapsed()), release)
  }
  function release() {
    const now = clock.elapsed()
    for (let next = resting.peek(); next && next.due <= now; next = resting.peek()) {
      resting.pop()
      if (isCurrent(next, 'back-off')) activate(next)
    }
    arm()
  }
  /** Takes an entry out of the hand and sets when it may be tried again. */
  function penalise(uid: string): Entry | undefined {
    const entry = entries.get(uid)
    if (entry?.state !== 'in-hand') return undefined
    entry.due = clock.elapsed() + Math.min(BACK_OFF_MAX_MS, BACK_OFF_MS * 2 ** (entry.attempts - 1))
    return entry
  }

  return {
    add(info) {
      const known = entries.get(info.uid)
      if (known) unpark(known)
      // A new entry: what heaps still hold of the old one is stale.
      const entry: Entry = {
        info,
        attempts: known?.attempts ?? 0,
        refusedBy: new Set(),
        state: 'active',
        order: known?.order ?? order++,
        due: 0,
      }
      entries.set(info.uid, entry)
      activate(entry)
    },
    remove(uid) {
      const entry = entries.get(uid)
      if (!entry) return
      entries.delete(uid)
      unpark(entry)
    },
    has: uid => entries.has(uid),
    pop() {
      for (let entry = active.pop(); entry; entry = active.pop()) {
        if (!isCurrent(entry, 'active')) continue
        entry.state = 'in-hand'
        entry.attempts++
        return entry
      }
      return undefined
    },
    park(uid, refusedBy) {
      const entry = penalise(uid)
      if (!entry) return
      entry.state = 'parked'
      entry.refusedBy = refusedBy
      for (const plugin of refusedBy) {
        const others = parked.get(plugin)
        if (others) others.add(entry)
        else parked.set(plugin, new Set([entry]))
      }
    },
    retry(uid) {
      const entry = penalise(uid)
      if (entry) rest(entry)
    },
    wake(plugin, mayHelp) {
      for (const entry of parked.get(plugin) ?? []) {
        if (!mayHelp(entry)) continue
        unpark(entry)
        rest(entry)
      }
    },
    hasNext() {
      for (let next = active.peek(); next; next = active.peek()) {
        if (isCurrent(next, 'active')) return true
        active.pop()
      }
      return false
    },
    depth() {
      const count = (state: Entry['state']) => [...entries.values()].filter(entry => entry.state === state).length
      return { active: count('active'), backOff: count('back-off'), parked: count('parked') }
    },
    close() {
      timer?.cancel()
      entries.clear()
      parked.clear()
    },
  }
}
