/** How many replicas the metrics of an autoscaler ask for. */
import type { HorizontalPodAutoscaler, MetricSpec } from '../../api/generated/types/autoscaling-v2.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { parseLabelSelector } from '../../api/machinery/label-selector.ts'
import { milliValue } from '../../api/machinery/quantity.ts'
import { keyOf, type Lister, type ObjectKey } from '../../client/informer-types.ts'
import { type Asked, type Evaluated, evaluate, MetricError } from './evaluate.ts'
import { type Known, type Look, Unscalable } from './look.ts'
import type { Metrics } from './metrics.ts'
import type { Target } from './target.ts'

/** A ratio this near to 1 changes nothing (upstream's `--horizontal-pod-autoscaler-tolerance`). */
const TOLERANCE = 0.1

export interface WishDeps {
  readonly autoscalers: Lister<HorizontalPodAutoscaler>
  readonly pods: Lister<Pod>
  readonly metrics: Metrics
  readonly known: ReadonlyMap<ObjectKey, Known>
}

/** The replicas that there should be, and by which metric. */
export interface Wish {
  readonly replicas: number
  readonly metric: string
}

/** The target's pods and their selector; no other autoscaler may scale them. Throws `Unscalable`. */
function selectedBy(deps: WishDeps, { autoscaler, known, say, tell }: Look, { scale }: Target) {
  const text = scale.status?.selector
  if (!text) {
    const problem = 'selector is required'
    tell('Warning', 'SelectorRequired', problem)
    say('ScalingActive', 'False', 'InvalidSelector', "the HPA target's scale is missing a selector")
    throw new Unscalable(problem)
  }
  const selector = parseLabelSelector(text)
  known.selector = selector
  const namespace = autoscaler.metadata?.namespace ?? ''
  const pods = deps.pods.list(namespace).filter(({ metadata }) => selector.matches(metadata?.labels))
  const rivals = deps.autoscalers.list(namespace).filter(each => {
    const theirs = deps.known.get(keyOf(each))?.selector
    return theirs && pods.some(({ metadata }) => theirs.matches(metadata?.labels))
  })
  if (rivals.length > 1) {
    const names = rivals.map(({ metadata }) => `{${metadata?.name} ${metadata?.namespace}}`).join(' ')
    const problem = `pods by selector ${text} are controlled by multiple HPAs: [${names}]`
    tell('Warning', 'AmbiguousSelector', problem)
    say('ScalingActive', 'False', 'AmbiguousSelector', problem)
    throw new Unscalable(problem)
  }
  return { selector, pods }
}

function askedBy(deps: WishDeps, look: Look, target: Target, now: number): Asked {
  const { spec, metadata } = look.autoscaler
  const namespace = metadata?.namespace ?? ''
  const { selector, pods } = selectedBy(deps, look, target)
  const tolerance = (rules: { tolerance?: string } | undefined) =>
    rules?.tolerance === undefined ? TOLERANCE : milliValue(rules.tolerance) / 1_000
  return {
    namespace,
    selector,
    situation: {
      wanted: target.scale.spec?.replicas ?? 0,
      had: target.scale.status?.replicas ?? 0,
      pods,
      tolerance: { up: tolerance(spec?.behavior?.scaleUp), down: tolerance(spec?.behavior?.scaleDown) },
      now,
    },
  }
}

/** The metric, or why it cannot be told. */
const attempt = (metrics: Metrics, asked: Asked, spec: MetricSpec): Promise<Evaluated | MetricError> =>
  evaluate(metrics, asked, spec).catch(error => {
    if (error instanceof MetricError) return error
    throw error
  })

/**
 * The most that any of the metrics asks for; `now` in ms since the epoch. A metric that fails keeps the target from
 * shrinking. Rejects with `Unscalable` where nothing can be said.
 */
export async function wishOf(deps: WishDeps, look: Look, target: Target, now: number): Promise<Wish> {
  const { autoscaler, status, say, tell } = look
  const asked = askedBy(deps, look, target, now)
  const specs = autoscaler.spec?.metrics ?? []
  const results = await Promise.all(specs.map(each => attempt(deps.metrics, asked, each)))
  status.currentMetrics = results.map(each => (each instanceof MetricError ? { type: '' } : each.status))
  const failed = results.filter(each => each instanceof MetricError)
  for (const { reason, detail } of failed) tell('Warning', reason, detail)
  const found = results.filter((each): each is Evaluated => !(each instanceof MetricError))
  const most = found.reduce<Evaluated | undefined>((a, b) => (!a || b.replicas > a.replicas ? b : a), undefined)
  const [first] = failed
  if (first && (!most || most.replicas < asked.situation.wanted)) {
    say('ScalingActive', 'False', first.reason, `the HPA was unable to compute the replica count: ${first.detail}`)
    const count = `${failed.length} invalid out of ${specs.length}`
    throw new Unscalable(`invalid metrics (${count}), first error is: ${first.message}`)
  }
  if (!most) throw new Unscalable('the autoscaler names no metric')
  const message = `the HPA was able to successfully calculate a replica count from ${most.name}`
  say('ScalingActive', 'True', 'ValidMetricFound', message)
  return { replicas: most.replicas, metric: most.name }
}
