/**
 * The figures of one cluster's pods. As a program it prints them as JSON, so that it can be run where the cluster is
 * (another network namespace): `node bench/lib/pod-figures.ts --kubeconfig FILE --image IMAGE`.
 */
import { parseArgs } from 'node:util'
import { median, progress, type Row, sleep, worst } from './measure.ts'
import { openPodLoad, type PodLoad } from './pod-load.ts'

export interface PodFigures {
  /** Milliseconds each. */
  readonly start: readonly number[]
  readonly kill: readonly number[]
  readonly replace: readonly number[]
  readonly twenty: readonly number[]
  readonly sixty: readonly number[]
  readonly roll: readonly number[]
  /** Requests through the service while pods were replaced. */
  readonly asked: number
  readonly failed: number
}

/** A server of busybox on port 8080. */
export const BUSYBOX_WEB = ['sh', '-c', 'echo ok >/tmp/index.html; exec httpd -f -p 8080 -h /tmp']

/** Measures a cluster; `n` starts, ends and replacements, a third of it of the rest. */
export async function podFigures(load: PodLoad, n: number, starts = n): Promise<PodFigures> {
  const several = async <T>(what: string, times: number, work: () => Promise<T>) => {
    progress(what)
    const all: T[] = []
    for (let turn = 0; turn < times; turn++) {
      all.push(await work())
      await sleep(300)
    }
    return all
  }
  const start = await several('starts', starts, load.start)
  const kill = await several('kills', n, load.kill)
  progress('replacements')
  const replace = await load.replace(n)
  const scaled = await several('scaling', Math.ceil(n / 5), load.scale)
  progress('rolling updates')
  const { took, asked, failed } = await load.roll(Math.ceil(n / 3))
  const [twenty, sixty] = [scaled.map(each => each.twenty), scaled.map(each => each.sixty)]
  return { start, kill, replace, twenty, sixty, roll: took, asked, failed }
}

/** Rows of a table from the figures of several clusters by their names; those of `start` only where `starts`. */
export function podRows(all: Readonly<Record<string, PodFigures>>, what: string, starts: boolean): Row[] {
  const pick = (of: (figures: PodFigures) => number) =>
    Object.fromEntries(Object.entries(all).map(([name, figures]) => [name, of(figures)]))
  const row = (title: string, times: (figures: PodFigures) => readonly number[], of = median): Row => ({
    what: title,
    unit: 'ms',
    lessIsBetter: true,
    figures: pick(figures => of(times(figures))),
  })
  const n = (times: (figures: PodFigures) => readonly number[]) => times(Object.values(all)[0]!).length
  const asked = Object.values(all)[0]!.asked
  return [
    ...(starts
      ? [
          row(`pod created → Ready, median of ${n(each => each.start)}`, each => each.start),
          row('pod created → Ready, p99', each => each.start, worst),
        ]
      : []),
    row(`${what} killed → Ready again, median of ${n(each => each.kill)}`, each => each.kill),
    row(`${what} killed → Ready again, p99`, each => each.kill, worst),
    row(`pod deleted → replacement Ready, median of ${n(each => each.replace)}`, each => each.replace),
    row('pod deleted → replacement Ready, p99', each => each.replace, worst),
    row(`Deployment of 20 → all Ready, median of ${n(each => each.twenty)}`, each => each.twenty),
    row('20 → 60, all Ready', each => each.sixty),
    row(`rolling update of 10 with a readiness probe, median of ${n(each => each.roll)}`, each => each.roll),
    ...(asked > 0
      ? [{ what: 'requests through its service that failed', unit: `of ${asked}`, figures: pick(each => each.failed) }]
      : []),
  ]
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: 'string' },
      image: { type: 'string' },
      n: { type: 'string', default: '10' },
    },
  })
  const load = await openPodLoad({
    kubeconfig: values.kubeconfig!,
    image: values.image,
    web: BUSYBOX_WEB,
    services: true,
  })
  console.log(JSON.stringify(await podFigures(load, Number(values.n))))
  await load.close()
  process.exit(0)
}
