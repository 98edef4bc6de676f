import { CostExceeded } from '../errors.ts'
import type { Value } from '../values.ts'

/** The variables of one evaluation, by name. */
export type Variables = Readonly<Record<string, Value | undefined>>

/** One evaluation: its variables, the variables of its loops, and what it has cost so far. */
export class Frame {
  readonly variables: Variables
  /** Loop variables and accumulators; every one has an index of its own. */
  readonly locals: (Value | undefined)[]
  readonly limit: number
  cost = 0

  constructor(variables: Variables, locals: number, limit: number) {
    this.variables = variables
    this.locals = locals === 0 ? NO_LOCALS : new Array(locals)
    this.limit = limit
  }

  /** Adds to the cost; ends the evaluation when it becomes more than the limit. */
  charge(cost: number): void {
    // What a call with arguments of wrong types costs may be no number, and must not take the limit away.
    this.cost += cost >= 0 ? cost : 1
    if (this.cost > this.limit) throw new CostExceeded()
  }

  /** The cost again; ends the evaluation when adding it would become more than the limit. */
  affords(cost: number): number {
    if (this.cost + cost > this.limit) this.charge(cost)
    return cost
  }
}

const NO_LOCALS: (Value | undefined)[] = []

/** A planned expression. Throws `CelError` and `CostExceeded`. */
export type Step = (frame: Frame) => Value
