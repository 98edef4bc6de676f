/**
 * What a node and its containers have used up to a moment, by the node's own word: its `/metrics/resource` (KEP-727).
 * That is where metrics-server looks, too: `/stats/summary` tells its times by the second.
 */
import type { NodeApi } from '../../client/node-api.ts'
import { readBody } from '../../lib/bounded-body.ts'

/** What was used up to `time`. */
export interface Point {
  /** ms since the epoch, by the node's clock. */
  readonly time: number
  /** Seconds of the processor since it began. */
  readonly cpu: number
  /** Bytes of the working set. */
  readonly memory: number
  /** When it began, ms since the epoch; 0 for the node itself. */
  readonly startedAt: number
}

export interface Sample {
  /** Undefined where the node does not say. */
  readonly node: Point | undefined
  /** By `namespace/name` of the pod, then by the name of the container. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Point>>
}

/** A node that does not answer is given up after so long, in ms. */
const TIMEOUT = 5_000
/** Of an answer: a node has a few hundred pods at most. */
const LONGEST = 16 << 20

const LINE = /^(node|container)_(cpu_usage_seconds_total|memory_working_set_bytes|start_time_seconds)(?:\{(.*)\})? /
const LABEL = /(container|namespace|pod)="([^"]*)"/g

type Draft = { -readonly [K in keyof Point]?: Point[K] }

const complete = ({ time, cpu, memory, startedAt = 0 }: Draft): Point | undefined =>
  time === undefined || cpu === undefined || memory === undefined ? undefined : { time, cpu, memory, startedAt }

function note(draft: Draft, name: string, value: number, time: number | undefined): void {
  if (name === 'start_time_seconds') draft.startedAt = value * 1000
  else if (name === 'memory_working_set_bytes') draft.memory = value
  else {
    draft.cpu = value
    if (time) draft.time = time
  }
}

/** Reads Prometheus' text. What is incomplete is left out. */
export function parseSample(text: string): Sample {
  const node: Draft = {}
  const drafts = new Map<string, Map<string, Draft>>()
  for (const line of text.split('\n')) {
    const match = LINE.exec(line)
    if (!match) continue
    const [value, time] = line.slice(match[0].length).split(' ').map(Number)
    if (!Number.isFinite(value)) continue
    if (match[1] === 'node') {
      note(node, match[2]!, value!, time)
      continue
    }
    const labels = Object.fromEntries([...match[3]!.matchAll(LABEL)].map(([, name, value]) => [name, value]))
    const key = `${labels.namespace}/${labels.pod}`
    const pod = drafts.get(key) ?? new Map<string, Draft>()
    drafts.set(key, pod)
    const container = pod.get(labels.container ?? '') ?? {}
    pod.set(labels.container ?? '', container)
    note(container, match[2]!, value!, time)
  }
  const pods = new Map<string, Map<string, Point>>()
  for (const [key, containers] of drafts) {
    const points = [...containers].flatMap(([name, draft]) => {
      const point = complete(draft)
      return point ? [[name, point] as const] : []
    })
    if (points.length) pods.set(key, new Map(points))
  }
  return { node: complete(node), pods }
}

/** Asks a node. Rejects where it does not answer, or says something else. */
export async function takeSample(api: NodeApi): Promise<Sample> {
  const path = '/metrics/resource'
  const signal = AbortSignal.timeout(TIMEOUT)
  const answer = await api.serve?.({ method: 'GET', path, query: new URLSearchParams(), signal })
  if (answer?.status !== 200) throw new Error(`the node answers ${path} with ${answer?.status ?? 'nothing'}`)
  return parseSample(String(await readBody(answer.body, LONGEST)))
}
