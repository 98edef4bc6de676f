/** What a node's configuration says of running short: thresholds, and how pods are evicted by them. */
import { readThresholds, type ThresholdFields } from '../../agent/pressure/thresholds.ts'
import type { EvictionSettings } from '../../agent/pressure/watch.ts'
import { DEFAULT_SETTINGS } from '../../agent/settings.ts'
import type { Shape } from '../../apiserver/configuration/read.ts'
import { durationOf, type Of, secondsOf } from './fields.ts'

/** Of KubeletConfiguration. */
export interface EvictionFields extends ThresholdFields {
  readonly evictionPressureTransitionPeriod?: string
  /** Seconds. */
  readonly evictionMaxPodGracePeriod?: number
}

export const EVICTION_SHAPE = {
  evictionHard: { '*': 'string' },
  evictionSoft: { '*': 'string' },
  evictionSoftGracePeriod: { '*': 'string' },
  evictionMinimumReclaim: { '*': 'string' },
  mergeDefaultEvictionSettings: 'boolean',
  evictionPressureTransitionPeriod: 'string',
  evictionMaxPodGracePeriod: 'number',
} as const satisfies Shape

/** When pods are evicted. */
export function evictionSettings(fields: EvictionFields, of: Of): EvictionSettings {
  const { evictionPressureTransitionPeriod: transition, evictionMaxPodGracePeriod: grace } = fields
  const { transitionMs, longestGraceMs } = DEFAULT_SETTINGS.eviction
  return {
    thresholds: of('evictionHard, evictionSoft', () => readThresholds(fields)),
    transitionMs: transition ? of('evictionPressureTransitionPeriod', () => durationOf(transition)) : transitionMs,
    longestGraceMs:
      grace === undefined ? longestGraceMs : of('evictionMaxPodGracePeriod', () => 1000 * secondsOf(grace)),
  }
}
