/** From a look at one autoscaler to the scale of its target and its own status. */
import type { HorizontalPodAutoscaler } from '../../api/generated/types/autoscaling-v2.ts'
import { HorizontalPodAutoscaler as Kind } from '../../api/kinds/autoscaling/horizontal-pod-autoscaler.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { createEventRecorder } from '../../client/event-recorder.ts'
import type { Lister, ObjectKey } from '../../client/informer-types.ts'
import type { Clock } from '../../lib/clock.ts'
import { equalJson } from '../../lib/json.ts'
import type { AutoscalerDeps } from './component.ts'
import { type Known, type Look, lookAt, Unscalable } from './look.ts'
import { createMetrics } from './metrics.ts'
import { allow, createHistory, type History, noteScale } from './rates.ts'
import { readTarget, type Target } from './target.ts'
import { type WishDeps, wishOf } from './wish.ts'

/** Replicas that there should be, and why it is another number. */
interface Decision {
  readonly replicas: number
  readonly reason: string
}

type Deps = WishDeps & { readonly clock: Clock }

/** Makes the function that looks at the autoscaler with this key; it answers `gone` where there is none. */
export function createAutoscaler(
  { client, informers, served, clock, logger }: AutoscalerDeps,
  autoscalers: Lister<HorizontalPodAutoscaler>,
  signal: AbortSignal,
): (key: ObjectKey) => Promise<'gone' | undefined> {
  const source = { component: 'horizontal-pod-autoscaler' }
  const events = createEventRecorder(client.transport, source, { clock, logger }, signal)
  const pods = informers.of<Pod>(Pod)
  const known = new Map<ObjectKey, Known>()
  const deps: Deps = { autoscalers, pods, metrics: createMetrics(client, served), known, clock }

  async function target({ autoscaler, say, tell }: Look): Promise<Target | undefined> {
    const { spec, metadata } = autoscaler
    try {
      const found = await readTarget(client, served, metadata?.namespace ?? '', spec!.scaleTargetRef)
      say('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale")
      return found
    } catch (error) {
      const { message } = error as Error
      const reason = 'FailedGetScale'
      tell('Warning', reason, message)
      say('AbleToScale', 'False', reason, `the HPA controller was unable to get the target's current scale: ${message}`)
      return undefined
    }
  }

  return async key => {
    const autoscaler = autoscalers.get(key)
    if (!autoscaler) {
      known.delete(key)
      return 'gone'
    }
    await pods.synced()
    const own = known.get(key) ?? {}
    known.set(key, own)
    const look = lookAt(autoscaler, own, events, clock.now())
    const found = await target(look)
    if (found) await scale(deps, look, found)
    if (!equalJson(look.status, autoscaler.status))
      await client.kind<HorizontalPodAutoscaler>(Kind).updateStatus({ ...autoscaler, status: look.status })
    return undefined
  }
}

/** Brings the target to the number that is decided on. */
async function scale(deps: Deps, look: Look, target: Target): Promise<void> {
  const { autoscaler, known, status, say, tell } = look
  const { clock } = deps
  const current = target.scale.spec?.replicas ?? 0
  const history = (known.history ??= createHistory(current, clock.elapsed()))
  status.currentReplicas = current
  delete status.currentMetrics
  try {
    const { replicas, reason } = await decide(deps, look, target, history)
    if (replicas !== current) {
      const why = await problemOf(target.set(replicas))
      if (why !== undefined) {
        tell('Warning', 'FailedRescale', `New size: ${replicas}; reason: ${reason}; error: ${why}`)
        const message = `the HPA controller was unable to update the target scale: ${why}`
        return say('AbleToScale', 'False', 'FailedUpdateScale', message)
      }
      const message = `the HPA controller was able to update the target scale to ${replicas}`
      say('AbleToScale', 'True', 'SucceededRescale', message)
      tell('Normal', 'SuccessfulRescale', `New size: ${replicas}; reason: ${reason}`)
      noteScale(history, autoscaler.spec!, { from: current, to: replicas, now: clock.elapsed() })
      status.lastScaleTime = rfc3339(clock.now())
    }
    status.desiredReplicas = replicas
  } catch (error) {
    if (!(error instanceof Unscalable)) throw error
    tell('Warning', 'FailedComputeMetricsReplicas', error.message)
  }
}

const problemOf = (work: Promise<void>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: Error) => error.message,
  )

/** The number of replicas between the bounds, as the metrics and the rules have it. Rejects with `Unscalable`. */
async function decide(deps: Deps, look: Look, target: Target, history: History): Promise<Decision> {
  const spec = look.autoscaler.spec!
  const current = target.scale.spec?.replicas ?? 0
  const { minReplicas: min = 1, maxReplicas: max } = spec
  if (current === 0) {
    const message = 'scaling is disabled since the replica count of the target is zero'
    look.say('ScalingActive', 'False', 'ScalingDisabled', message)
    return { replicas: 0, reason: '' }
  }
  if (current > max) return { replicas: max, reason: 'Current number of replicas above Spec.MaxReplicas' }
  if (current < min) return { replicas: min, reason: 'Current number of replicas below Spec.MinReplicas' }
  const { replicas: desired, metric } = await wishOf(deps, look, target, deps.clock.now())
  const { replicas, able, limited } = allow(history, spec, { current, desired, min, now: deps.clock.elapsed() })
  look.say('AbleToScale', 'True', ...able)
  look.say('ScalingLimited', limited.is ? 'True' : 'False', ...limited.why)
  const reason = desired > current ? `${metric} above target` : desired < current ? 'All metrics below target' : ''
  return { replicas, reason }
}
