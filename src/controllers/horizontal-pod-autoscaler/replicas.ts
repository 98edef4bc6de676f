/**
 * From what pods use to how many there should be: by the ratio of what is used to what is aimed at, over the pods of
 * which that can be said (docs: horizontal pod autoscaling, algorithm details). Amounts are thousandths. Functions
 * throw errors whose sentences stand in conditions and events.
 */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { lastingContainers } from '../../api/kinds/core/pod-containers.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { isPodLevel } from '../../api/kinds/core/resources.ts'
import { milliValue } from '../../api/machinery/quantity.ts'
import { parseTime } from '../../api/machinery/time.ts'
import { podAmounts } from '../../api/quota/pod-resources.ts'
import { conditionOf } from '../conditions.ts'

/** What a pod uses, in the mean of the `window` ms up to the time (ms since the epoch). */
export interface Sample {
  readonly value: number
  readonly time: number
  readonly window: number
}

/** By name of the pod. */
export type Samples = ReadonlyMap<string, Sample>

export interface Situation {
  /** Replicas that the target wants, and that it has. */
  readonly wanted: number
  readonly had: number
  /** Those that the target's selector selects. */
  readonly pods: readonly Pod[]
  /** How far a ratio may be from 1 without a change. */
  readonly tolerance: { readonly up: number; readonly down: number }
  /** ms since the epoch. */
  readonly now: number
}

/** Replicas that there should be, and what is used on average. */
export interface Proposal {
  readonly replicas: number
  readonly average: number
  readonly percent?: number
}

/** So long a pod's CPU may be that of its start, and so long after it a pod may become ready for the first time, ms. */
const CPU_START = 300_000
const FIRST_READY = 30_000
const MOST = 2 ** 31 - 1

const clamp = (replicas: number) => Math.min(replicas, MOST)
const nameOf = ({ metadata }: Pod) => metadata?.name ?? ''
const isWithin = (ratio: number, { tolerance }: Situation) => 1 - tolerance.down <= ratio && ratio <= 1 + tolerance.up

/** Whether what a pod uses of the CPU says nothing of its work yet. */
function isStarting({ status }: Pod, { time, window }: Sample, now: number): boolean {
  const ready = conditionOf(status?.conditions, 'Ready')
  const started = parseTime(status?.startTime)
  if (!ready || started === undefined) return true
  const changed = parseTime(ready.lastTransitionTime) ?? 0
  if (started + CPU_START > now) return ready.status === 'False' || time < changed + window
  return ready.status === 'False' && started + FIRST_READY > changed
}

interface Groups {
  /** Of those that count. */
  readonly samples: Map<string, number>
  readonly ready: number
  readonly unready: readonly string[]
  /** They run, and nothing is known of them. */
  readonly missing: readonly string[]
}

function group({ pods, now }: Situation, samples: Samples, resource: string | undefined): Groups {
  if (!pods.length) throw new Error('no pods returned by selector while calculating replica count')
  const counted = new Map([...samples].map(([name, { value }]) => [name, value]))
  const unready: string[] = []
  const missing: string[] = []
  let ready = 0
  for (const pod of pods) {
    const name = nameOf(pod)
    const sample = samples.get(name)
    if (pod.metadata?.deletionTimestamp || pod.status?.phase === 'Failed') counted.delete(name)
    else if (pod.status?.phase === 'Pending' || (sample && resource === 'cpu' && isStarting(pod, sample, now))) {
      unready.push(name)
      counted.delete(name)
    } else if (!sample) missing.push(name)
    else ready++
  }
  if (!counted.size) throw new Error('did not receive metrics for targeted pods (pods might be unready)')
  return { samples: counted, ready, unready, missing }
}

/** `ratioOf` weighs samples; `assumed` is what a pod uses of which nothing is known, when others use little. */
function replicasFor(
  situation: Situation,
  { samples, ready, unready, missing }: Groups,
  ratioOf: (samples: ReadonlyMap<string, number>) => number,
  assumed: (pod: string) => number,
): number {
  const { wanted } = situation
  const ratio = ratioOf(samples)
  const counts = unready.length > 0 && ratio > 1
  if (!counts && !missing.length) return isWithin(ratio, situation) ? wanted : clamp(Math.ceil(ratio * ready))
  // Whatever is not known speaks against the change.
  const all = new Map(samples)
  if (ratio !== 1) for (const name of missing) all.set(name, ratio < 1 ? assumed(name) : 0)
  if (counts) for (const name of unready) all.set(name, 0)
  const next = ratioOf(all)
  if (isWithin(next, situation) || (ratio < 1 && next > 1) || (ratio > 1 && next < 1)) return wanted
  const replicas = clamp(Math.ceil(next * all.size))
  return (next < 1 && replicas > wanted) || (next > 1 && replicas < wanted) ? wanted : replicas
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, each) => total + each, 0)

/** For pods that are to use `percent` of what they ask for; `container`: one container of each. */
export function byUtilization(
  situation: Situation,
  samples: Samples,
  what: { readonly resource: string; readonly container: string | undefined; readonly percent: number },
): Proposal {
  const groups = group(situation, samples, what.resource)
  const requests = new Map(situation.pods.map(pod => [nameOf(pod), requestOf(pod, what)]))
  const weigh = (of: ReadonlyMap<string, number>) => {
    const known = [...of].filter(([name]) => requests.has(name))
    const requested = sum(known.map(([name]) => requests.get(name)!))
    if (requested === 0) throw new Error('no metrics returned matched known pods')
    const used = sum(known.map(([, value]) => value))
    return { percent: Math.trunc((used * 100) / requested), average: Math.trunc(used / known.length) }
  }
  const { percent, average } = weigh(groups.samples)
  const replicas = replicasFor(
    situation,
    groups,
    of => weigh(of).percent / what.percent,
    name => Math.trunc(((requests.get(name) ?? 0) * Math.max(100, what.percent)) / 100),
  )
  return { replicas, average, percent }
}

/** For pods that are to use `target` on average; `resource` where it is one of Kubernetes' own. */
export function byAverage(situation: Situation, samples: Samples, target: number, resource?: string): Proposal {
  const groups = group(situation, samples, resource)
  const averageOf = (of: ReadonlyMap<string, number>) => Math.trunc(sum(of.values()) / of.size)
  const replicas = replicasFor(
    situation,
    groups,
    of => averageOf(of) / target,
    () => target,
  )
  return { replicas, average: averageOf(groups.samples) }
}

/** For one value that is to be `target`, and goes down as pods come. */
export function byValue(situation: Situation, used: number, target: number): number {
  const ratio = used / target
  if (situation.wanted === 0) return clamp(Math.ceil(ratio))
  if (isWithin(ratio, situation)) return situation.wanted
  if (!situation.pods.length) {
    const problem = 'no pods returned by selector while calculating replica count'
    throw new Error(`unable to calculate ready pods: ${problem}`)
  }
  const ready = situation.pods.filter(pod => pod.status?.phase === 'Running' && isReady(pod))
  return clamp(Math.ceil(ratio * ready.length))
}

/** For one value of which each pod is to have `target`. */
export function byShare(situation: Situation, used: number, target: number): Proposal {
  const { had } = situation
  const isFine = isWithin(used / (target * had), situation)
  return { replicas: isFine ? had : clamp(Math.ceil(used / target)), average: Math.ceil(used / had) }
}

/** What a pod, or one of its containers, asks for. */
function requestOf(
  pod: Pod,
  { resource, container }: { readonly resource: string; readonly container: string | undefined },
): number {
  const isWhole = Object.keys(pod.spec?.resources?.requests ?? {}).some(isPodLevel)
  if (container === undefined && isWhole) {
    const request = podAmounts(pod, 'requests')[resource]
    if (!request) throw new Error(`missing pod-level request for ${resource} in Pod ${nameOf(pod)}`)
    return milliValue(request)
  }
  const all = lastingContainers(pod)
  const asked = container === undefined ? all : all.filter(({ name }) => name === container)
  if (!asked.length) throw new Error(`container ${container} not found in Pod ${nameOf(pod)}`)
  return sum(
    asked.map(({ name, resources }) => {
      const request = resources?.requests?.[resource]
      if (request === undefined)
        throw new Error(`missing request for ${resource} in container ${name} of Pod ${nameOf(pod)}`)
      return milliValue(request)
    }),
  )
}
