/**
 * How far a wish for replicas may go at once: it is held back by what was wished for lately and by how fast the
 * autoscaler may go. Times are those of a clock that only grows, in ms.
 */
import type { HorizontalPodAutoscalerSpec, HPAScalingRules } from '../../api/generated/types/autoscaling-v2.ts'

/** What counts of the past where no behaviour says (upstream's `--horizontal-pod-autoscaler-downscale-stabilization`). */
const DOWNSCALE_WINDOW = 300_000

interface Moment {
  readonly at: number
  readonly replicas: number
}

/** What is remembered of an autoscaler between two looks; a new life of the controller begins anew. */
export interface History {
  /** What was wished for. */
  wishes: Moment[]
  /** By how much was scaled. */
  ups: Moment[]
  downs: Moment[]
}

/** `replicas` are those at the first look: without them a restart would scale down at once. */
export const createHistory = (replicas: number, now: number): History => ({
  wishes: [{ replicas, at: now }],
  ups: [],
  downs: [],
})

/** What is wished for, in an autoscaler of so many replicas. */
export interface Wish {
  readonly current: number
  readonly desired: number
  readonly min: number
  readonly now: number
}

export interface Allowed {
  readonly replicas: number
  /** Of the condition AbleToScale. */
  readonly able: Reason
  /** The condition ScalingLimited. */
  readonly limited: { readonly is: boolean; readonly why: Reason }
}

type Reason = readonly [reason: string, message: string]

const STEADY: Reason = ['ReadyForNewScale', 'recommended size matches current size']
const LOWEST: Reason = [
  'ScaleUpStabilized',
  'recent recommendations were lower than current one, applying the lowest recent recommendation',
]
const HIGHEST: Reason = [
  'ScaleDownStabilized',
  'recent recommendations were higher than current one, applying the highest recent recommendation',
]
const WITHIN: Reason = ['DesiredWithinRange', 'the desired count is within the acceptable range']
const TOO_FAST_UP: Reason = [
  'ScaleUpLimit',
  'the desired replica count is increasing faster than the maximum scale rate',
]
const TOO_FAST_DOWN: Reason = [
  'ScaleDownLimit',
  'the desired replica count is decreasing faster than the maximum scale rate',
]
const TOO_MANY: Reason = ['TooManyReplicas', 'the desired replica count is more than the maximum replica count']
const TOO_FEW: Reason = ['TooFewReplicas', 'the desired replica count is less than the minimum replica count']

const windowOf = (rules: HPAScalingRules | undefined, otherwise: number): number =>
  rules?.stabilizationWindowSeconds === undefined ? otherwise : rules.stabilizationWindowSeconds * 1_000

/** Notes the wish, and answers what may come of it. */
export function allow(history: History, spec: HorizontalPodAutoscalerSpec, wish: Wish): Allowed {
  const { current, desired, now } = wish
  const up = windowOf(spec.behavior?.scaleUp, 0)
  const down = windowOf(spec.behavior?.scaleDown, DOWNSCALE_WINDOW)
  const since = (ms: number) => history.wishes.filter(({ at }) => at > now - ms).map(({ replicas }) => replicas)
  const lowest = Math.min(desired, ...since(up))
  const highest = Math.max(desired, ...since(down))
  history.wishes = history.wishes.filter(({ at }) => at > now - Math.max(up, down))
  history.wishes.push({ replicas: desired, at: now })
  // Without a behaviour only scaling down is held back.
  const steady = spec.behavior ? Math.min(Math.max(current, lowest), highest) : highest
  const held = desired >= current ? LOWEST : HIGHEST
  const able = steady === desired ? STEADY : spec.behavior ? held : HIGHEST
  const [replicas, why] = spec.behavior
    ? byRules(history, spec, { ...wish, desired: steady })
    : byDefault(spec, { ...wish, desired: steady })
  return { replicas, able, limited: { is: replicas !== steady, why } }
}

/** Twice as many, or four, at a time. */
function byDefault({ maxReplicas }: HorizontalPodAutoscalerSpec, { current, desired, min }: Wish): [number, Reason] {
  const limit = Math.max(2 * current, 4)
  if (desired < min) return [min, TOO_FEW]
  if (desired > Math.min(maxReplicas, limit))
    return maxReplicas > limit ? [limit, TOO_FAST_UP] : [maxReplicas, TOO_MANY]
  return [desired, WITHIN]
}

function byRules(history: History, spec: HorizontalPodAutoscalerSpec, wish: Wish): [number, Reason] {
  const { current, desired, min } = wish
  const { maxReplicas, behavior } = spec
  if (desired > current) {
    const limit = Math.max(limitOf(history, behavior?.scaleUp, wish, 1), current)
    if (desired > Math.min(maxReplicas, limit))
      return maxReplicas > limit ? [limit, TOO_FAST_UP] : [maxReplicas, TOO_MANY]
  } else if (desired < current) {
    const limit = Math.min(limitOf(history, behavior?.scaleDown, wish, -1), current)
    if (desired < Math.max(min, limit)) return min < limit ? [limit, TOO_FAST_DOWN] : [min, TOO_FEW]
  }
  return [desired, WITHIN]
}

/** The number of replicas that the rules let come (`sign` 1) or stay (-1). */
function limitOf(history: History, rules: HPAScalingRules | undefined, { current, now }: Wish, sign: 1 | -1): number {
  if (!rules || rules.selectPolicy === 'Disabled') return current
  const within = (moments: readonly Moment[], seconds: number) =>
    moments.filter(({ at }) => at > now - seconds * 1_000).reduce((sum, { replicas }) => sum + replicas, 0)
  const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = current - within(history.ups, periodSeconds) + within(history.downs, periodSeconds)
    if (type === 'Pods') return start + sign * value
    // Away from where it began, or a small number would never grow.
    const share = start * (1 + (sign * value) / 100)
    return sign > 0 ? Math.ceil(share) : Math.trunc(share)
  })
  const farthest = (rules.selectPolicy === 'Min') === sign > 0 ? Math.min(...limits) : Math.max(...limits)
  return limits.length ? farthest : current
}

/** Notes what was done. */
export function noteScale(
  history: History,
  { behavior }: HorizontalPodAutoscalerSpec,
  { from, to, now }: { readonly from: number; readonly to: number; readonly now: number },
): void {
  if (!behavior) return
  const [name, rules] = to > from ? (['ups', behavior.scaleUp] as const) : (['downs', behavior.scaleDown] as const)
  const longest = Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds * 1_000))
  history[name] = history[name].filter(({ at }) => at >= now - longest)
  history[name].push({ replicas: Math.abs(to - from), at: now })
}
