/** One look at an autoscaler: what is known of it, and the status that the look leads to. */
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerStatus,
} from '../../api/generated/types/autoscaling-v2.ts'
import type { Selector } from '../../api/machinery/label-selector.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import type { EventRecorder } from '../../client/event-recorder.ts'
import type { History } from './rates.ts'

/** What is known of an autoscaler while the controller runs. */
export interface Known {
  history?: History
  /** Of the pods that it was last seen to scale. */
  selector?: Selector
}

/** Ends a look: the status says why already. */
export class Unscalable extends Error {}

export interface Look {
  readonly autoscaler: HorizontalPodAutoscaler
  readonly known: Known
  readonly status: HorizontalPodAutoscalerStatus
  /** Sets a condition. */
  say(
    type: 'AbleToScale' | 'ScalingActive' | 'ScalingLimited',
    is: 'True' | 'False',
    reason: string,
    message: string,
  ): void
  /** Tells an event. */
  tell(type: 'Normal' | 'Warning', reason: string, message: string): void
}

/** Begins one, on the status as it is; `now` in ms since the epoch. */
export function lookAt(autoscaler: HorizontalPodAutoscaler, known: Known, events: EventRecorder, now: number): Look {
  const status: HorizontalPodAutoscalerStatus = { desiredReplicas: 0, ...structuredClone(autoscaler.status) }
  return {
    autoscaler,
    known,
    status,
    say(type, is, reason, message) {
      const conditions = (status.conditions ??= [])
      const at = conditions.findIndex(each => each.type === type)
      const old = conditions[at]
      const since = old?.status === is && old.lastTransitionTime ? old.lastTransitionTime : rfc3339(now)
      const next = { type, status: is, lastTransitionTime: since, reason, message }
      // In its place: a look sets some of them twice, and leaves others.
      if (old) conditions[at] = next
      else conditions.push(next)
    },
    tell: (type, reason, message) => events.event(autoscaler, type, reason, message),
  }
}
