/** What decides by CEL whether a webhook is called (`matchConditions`). */
import type { Kind } from '../../../api/machinery/kind.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import type { AdmissionAttributes } from '../plugin.ts'

export interface MatchCondition {
  readonly name: string
  readonly expression: string
}

/** Throws an Error, whose sentence names what is wrong, where the request must fail. */
export type ConditionMatcher = (
  request: AdmissionAttributes,
  /** As the webhook would see them. */
  shown: { readonly as: Kind; readonly object: KubeObject | undefined; readonly old: KubeObject | undefined },
) => boolean | Promise<boolean>
