/** Requests through the gateway in numbers, by who routed them. */
import { type Clock, sleep } from '../lib/clock.ts'
import { type Count, counter, type Distribution, type Family, histogram, type Sample } from '../lib/metrics.ts'
import type { Owner } from './routing/route.ts'

export interface GatewayMetrics {
  readonly families: readonly Family[]
  /** A request was answered, after `ms`; 499: its client broke off before. */
  answered(owner: Owner | undefined, method: string, status: number, ms: number): void
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** Strangers may send any word: others are counted as one. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'])

/** Of one owner of routes. */
interface Numbers {
  readonly duration: Distribution
  /** By method and status. */
  readonly counts: Map<string, Count>
}

/** Makes the counters, all zero. */
export function gatewayMetrics(): GatewayMetrics {
  const requests = counter('tutti_ingress_requests_total', 'Requests of clients by Ingress, method and status.', [
    'namespace',
    'ingress',
    'method',
    'code',
  ])
  const durations = histogram(
    'tutti_ingress_request_duration_seconds',
    'Time from the head of a request to the end of its answer.',
    ['namespace', 'ingress'],
    SECONDS,
  )
  /** What was looked up for an owner once: a request costs no more than counting. */
  const kept = new WeakMap<Owner, Numbers>()
  const NOBODY: Owner = { namespace: '', name: '' }

  function numbersOf(owner: Owner): Numbers {
    let numbers = kept.get(owner)
    if (!numbers) {
      numbers = { duration: durations.at(owner.namespace, owner.name), counts: new Map() }
      kept.set(owner, numbers)
    }
    return numbers
  }
  return {
    families: [requests, durations],
    answered(owner = NOBODY, method, status, ms) {
      const { duration, counts } = numbersOf(owner)
      duration.observe(ms / 1000)
      const key = `${method} ${status}`
      const count = counts.get(key)
      if (count) {
        count.value++
        return
      }
      const known = METHODS.has(method)
      const first = requests.at(owner.namespace, owner.name, known ? method : 'other', String(status))
      if (known) counts.set(key, first)
      first.value++
    },
  }
}

/** The numbers of a gateway that counts in another thread, which is asked for them when somebody asks here. */
export interface CountedElsewhere {
  readonly families: readonly Family[]
  /** Who is asked from now on; undefined: nobody, and there are no numbers. */
  from(ask: (() => void) | undefined): void
  /** What was answered: the samples of each family. */
  arrived(samples: readonly (readonly Sample[])[]): void
}

/** Whoever asks for numbers does not wait longer for them, in ms: the last ones are told then. */
const ANSWER_MS = 1_000

/** Makes it, with no numbers. */
export function countedElsewhere(clock: Clock): CountedElsewhere {
  let ask: (() => void) | undefined
  let last: readonly (readonly Sample[])[] = []
  let asked: Promise<void> | undefined
  let answered = new AbortController()

  async function refresh() {
    answered = new AbortController()
    ask?.()
    if (ask) await sleep(clock, ANSWER_MS, answered.signal)
    asked = undefined
  }
  return {
    families: gatewayMetrics().families.map(({ name, help, type }, at) => ({
      ...{ name, help, type },
      samples: () => last[at] ?? [],
      // One question for all families.
      refresh: () => (asked ??= refresh()),
    })),
    from(next) {
      ask = next
      last = []
    },
    arrived(samples) {
      last = samples
      answered.abort()
    },
  }
}
