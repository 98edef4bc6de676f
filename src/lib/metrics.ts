/**
 * Numbers that grow as things happen, in the shape in which Prometheus wants them. Counting is adding to a number that
 * the caller holds on to; nothing is written, sorted or summed up before somebody asks.
 */

export type Labels = Readonly<Record<string, string>>

/** One number with its labels. `metricName` where it is not the family's own: `…_bucket`, `…_sum`, `…_count`. */
export interface Sample {
  readonly metricName?: string
  readonly labels: Labels
  readonly value: number
}

/** Everything under one name. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  samples(): Iterable<Sample>
  /** Of what is counted elsewhere: brings the numbers up to date, which takes a bounded time. Never rejects. */
  refresh?(): Promise<void>
}

export interface Count {
  value: number
}

export interface CountFamily extends Family {
  /** The number of these values of the labels, in their order; the same one each time. */
  at(...values: string[]): Count
}

export interface Distribution {
  observe(value: number): void
}

export interface HistogramFamily extends Family {
  at(...values: string[]): Distribution
}

const labelsOf = (names: readonly string[], values: readonly string[]): Labels =>
  Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']))

/** Finds what is kept for some values of labels, or makes it. */
function keptBy<T>(names: readonly string[], make: () => T) {
  const kept = new Map<string, { readonly labels: Labels; readonly item: T }>()
  const at = (...values: string[]): T => {
    const key = values.length === 1 ? values[0]! : values.join('\u0000')
    let found = kept.get(key)
    if (!found) kept.set(key, (found = { labels: labelsOf(names, values), item: make() }))
    return found.item
  }
  return { at, all: () => kept.values() }
}

function numbers(type: 'counter' | 'gauge', name: string, help: string, labels: readonly string[]): CountFamily {
  const { at, all } = keptBy(labels, (): Count => ({ value: 0 }))
  return {
    name,
    help,
    type,
    at,
    *samples() {
      for (const { labels, item } of all()) yield { labels, value: item.value }
    },
  }
}

/** A number that only grows. */
export const counter = (name: string, help: string, labels: readonly string[] = []): CountFamily =>
  numbers('counter', name, help, labels)

/** A number that goes up and down. */
export const gauge = (name: string, help: string, labels: readonly string[] = []): CountFamily =>
  numbers('gauge', name, help, labels)

class Buckets implements Distribution {
  readonly bounds: readonly number[]
  /** One more than `bounds`: beyond the last. Not cumulative. */
  readonly counts: Uint32Array
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Uint32Array(bounds.length + 1)
  }

  observe(value: number) {
    const { bounds } = this
    let at = 0
    while (at < bounds.length && value > bounds[at]!) at++
    this.counts[at]!++
    this.sum += value
    this.count++
  }
}

/** How values are spread over buckets, whose upper bounds are given in rising order. */
export function histogram(
  name: string,
  help: string,
  labels: readonly string[],
  bounds: readonly number[],
): HistogramFamily {
  const { at, all } = keptBy(labels, () => new Buckets(bounds))
  return {
    name,
    help,
    type: 'histogram',
    at,
    *samples() {
      for (const { labels, item } of all()) {
        let below = 0
        for (let at = 0; at < bounds.length; at++) {
          below += item.counts[at]!
          yield { metricName: `${name}_bucket`, labels: { ...labels, le: String(bounds[at]) }, value: below }
        }
        yield { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: item.count }
        yield { metricName: `${name}_sum`, labels, value: item.sum }
        yield { metricName: `${name}_count`, labels, value: item.count }
      }
    },
  }
}

/** `count` bounds, each `factor` times the one before. */
export const exponential = (start: number, factor: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => Number((start * factor ** at).toPrecision(12)))

/** A family whose numbers are looked up when somebody asks. */
export function lookedUp(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  read: () => Iterable<readonly [labels: Labels, value: number]>,
): Family {
  return {
    name,
    help,
    type,
    *samples() {
      for (const [labels, value] of read()) yield { labels, value }
    },
  }
}

/** Families as text in Prometheus' format, version 0.0.4. Its writer is loaded when first needed. */
export async function metricsText(families: readonly Family[]): Promise<string> {
  const { Registry } = await import('prom-client')
  await Promise.all(families.map(family => family.refresh?.()))
  const registry = new Registry()
  // A metric of prom-client's own only takes single observations. Of what it registers it asks the numbers alone, and
  // these were counted elsewhere; putting them together by `aggregate` takes more than twice the time.
  for (const { name, help, type, samples } of families) {
    const get = async () => ({ name, help, type, values: Array.from(samples()) })
    registry.registerMetric({ name, get } as unknown as Parameters<typeof registry.registerMetric>[0])
  }
  return registry.metrics()
}
