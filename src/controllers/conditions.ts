/** Conditions in a status: set by type, with the time of the last change of status. */
import { rfc3339 } from '../api/machinery/time.ts'

interface ConditionLike {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
}

/** What a condition should say. */
export interface ConditionState {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

/**
 * The conditions with this one as it should be; the same array when nothing differs. The time of transition changes
 * with the status only.
 */
export function withCondition<C extends ConditionLike>(
  conditions: readonly C[] | undefined,
  state: ConditionState,
  now: number,
  more: Partial<C> = {},
): C[] {
  const old = conditions?.find(each => each.type === state.type)
  const next = {
    ...more,
    ...state,
    lastTransitionTime: old && old.status === state.status ? old.lastTransitionTime : rfc3339(now),
  } as unknown as C
  return [...(conditions ?? []).filter(each => each.type !== state.type), next]
}

/** The condition of a type. */
export const conditionOf = <C extends ConditionLike>(conditions: readonly C[] | undefined, type: string) =>
  conditions?.find(each => each.type === type)

/** Drops what is zero or empty, as Go's omitempty does; `keep` names fields that are always written. */
export function omitEmpty<T extends object>(fields: T, ...keep: readonly (keyof T)[]): T {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    const isEmpty =
      value === undefined ||
      value === null ||
      value === 0 ||
      value === '' ||
      (Array.isArray(value) && value.length === 0)
    if (!isEmpty || keep.includes(name as keyof T)) result[name] = value
  }
  return result as T
}
