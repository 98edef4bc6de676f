/** From what was used up to two moments to what is used by the second: rates, as metrics-server makes them. */
import { formatQuantity, quantityOf } from '../../api/machinery/quantity.ts'
import type { Point, Sample } from './sample.ts'

export interface Usage {
  /** ms since the epoch. */
  readonly timestamp: number
  /** ms up to the timestamp that the rate is of. */
  readonly window: number
  /** Quantities by resource. */
  readonly resources: Record<string, string>
}

export interface PodUsage extends Pick<Usage, 'timestamp' | 'window'> {
  readonly containers: { readonly name: string; readonly usage: Record<string, string> }[]
}

export interface NodeUsage {
  readonly node: Usage | undefined
  /** By `namespace/name`. A pod of whose containers one cannot be told yet is not there. */
  readonly pods: ReadonlyMap<string, PodUsage>
}

/** A container that is younger tells nothing of its rate yet but how it began, in ms. */
const YOUNG = 10_000

/** Undefined where there is no rate between the two: the clock or the counter went back, or nothing passed. */
function between(from: Pick<Point, 'time' | 'cpu'>, to: Point): Usage | undefined {
  const window = to.time - from.time
  const used = to.cpu - from.cpu
  if (window <= 0 || used < 0) return undefined
  return {
    timestamp: to.time,
    window,
    resources: {
      cpu: formatQuantity({ nano: BigInt(Math.round((used / window) * 1e12)), format: 'DecimalSI' }),
      memory: formatQuantity(quantityOf(Math.round(to.memory), 'BinarySI')),
    },
  }
}

/** What a container uses; one that began after the first look is looked at from its beginning. */
function ofContainer(from: Point | undefined, to: Point): Usage | undefined {
  if (from && to.startedAt < from.time) return between(from, to)
  return to.time - to.startedAt < YOUNG ? undefined : between({ time: to.startedAt, cpu: 0 }, to)
}

function ofPod(from: ReadonlyMap<string, Point> | undefined, to: ReadonlyMap<string, Point>): PodUsage | undefined {
  const containers: PodUsage['containers'] = []
  let earliest: Usage | undefined
  for (const [name, point] of to) {
    const usage = ofContainer(from?.get(name), point)
    if (!usage) return undefined
    containers.push({ name, usage: usage.resources })
    if (!earliest || usage.timestamp < earliest.timestamp) earliest = usage
  }
  return earliest && { timestamp: earliest.timestamp, window: earliest.window, containers }
}

/** What is used between two samples of a node. */
export function usageBetween(from: Sample, to: Sample): NodeUsage {
  const pods = new Map<string, PodUsage>()
  for (const [key, points] of to.pods) {
    const usage = ofPod(from.pods.get(key), points)
    if (usage) pods.set(key, usage)
  }
  return { node: from.node && to.node && between(from.node, to.node), pods }
}
