/** Measuring: many calls with their latencies, and how figures are printed. */

export interface Rate {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** The value below which a share `q` of `sorted` lies. */
export const quantile = (sorted: readonly number[], q: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN

const ascending = (values: readonly number[]) => values.toSorted((a, b) => a - b)

export const median = (values: readonly number[]) => quantile(ascending(values), 0.5)

/** The 99th percentile: of a few, the worst. */
export const worst = (values: readonly number[]) => quantile(ascending(values), 0.99)

/** Calls `work` n times, `width` side by side. */
export async function measure(n: number, width: number, work: (index: number) => Promise<unknown>): Promise<Rate> {
  const latencies: number[] = []
  let next = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < n) {
        const index = next++
        const start = performance.now()
        await work(index)
        latencies.push(performance.now() - start)
      }
    }),
  )
  const took = performance.now() - began
  latencies.sort((a, b) => a - b)
  return { perSecond: (n / took) * 1000, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}

const digits = (value: number) =>
  value >= 100 ? String(Math.round(value)) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

export interface Row {
  readonly what: string
  readonly unit: string
  /** By the name of who was measured; the first is Tutti. */
  readonly figures: Readonly<Record<string, number>>
  /** True where less is better: then the ratio is turned round. */
  readonly lessIsBetter?: boolean
}

/** A Markdown table with the ratio of Tutti to each other in a row. */
export function table(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap(row => Object.keys(row.figures)))]
  const lines = [`| what | unit | ${names.join(' | ')} | ratio |`, `|---|---|${names.map(() => '--:|').join('')}--:|`]
  for (const { what, unit, figures, lessIsBetter } of rows) {
    const [own, ...others] = names.map(name => figures[name])
    const ratio = others
      .flatMap(other => (own === undefined || other === undefined ? [] : lessIsBetter ? other / own : own / other))
      .filter(Number.isFinite)
      .map(each => `${digits(each)}×`)
      .join(', ')
    lines.push(
      `| ${what} | ${unit} | ${names.map(name => (figures[name] === undefined ? '–' : digits(figures[name]))).join(' | ')} | ${ratio} |`,
    )
  }
  return lines.join('\n')
}

/** Says on a terminal what is being measured; tables alone go to a file. */
export const progress = (what: string) => {
  if (process.stderr.isTTY || process.env.BENCH_PROGRESS) console.error(`… ${what}`)
}

export const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))
