import { CelError, fail } from '../errors.ts'
import type { Value } from '../values.ts'
import type { Frame, Step } from './frame.ts'
import type { Planned } from './plan.ts'

const NO_OVERLOAD = 'no such overload'

/** Runs a step; an error of the language is a result like others. */
function attempt(step: Step, frame: Frame): Value | CelError {
  try {
    return step(frame)
  } catch (error) {
    if (error instanceof CelError) return error
    throw error
  }
}

/** `a || b`: true when one is, whatever the other does; else the first error. */
export const or = (left: Step, right: Step): Step => either(left, right, true)

/** `a && b`: false when one is, whatever the other does; else the first error. */
export const and = (left: Step, right: Step): Step => either(left, right, false)

function either(left: Step, right: Step, decisive: boolean): Step {
  return frame => {
    const a = attempt(left, frame)
    if (a === decisive) return decisive
    if (typeof a !== 'boolean') return decide(a, attempt(right, frame), decisive)
    const b = right(frame)
    return typeof b === 'boolean' ? b : fail(NO_OVERLOAD)
  }
}

function decide(a: Value | CelError, b: Value | CelError, decisive: boolean): Value {
  if (b === decisive) return decisive
  throw a instanceof CelError ? a : new CelError(NO_OVERLOAD)
}

/** `!a`. */
export function not(step: Step): Step {
  return frame => {
    const value = attempt(step, frame)
    frame.charge(1)
    if (typeof value === 'boolean') return !value
    throw value instanceof CelError ? value : new CelError(NO_OVERLOAD)
  }
}

/** True unless the value is false: an error counts as "go on". */
export function notStrictlyFalse(step: Step): Step {
  return frame => {
    const value = attempt(step, frame)
    frame.charge(1)
    return value !== false
  }
}

/** `a ? b : c`. Costs what the condition and the branch that is taken cost, a variable as a branch nothing. */
export function conditional(condition: Step, then: Planned, otherwise: Planned): Planned {
  const yes = then.bare ?? then.step
  const no = otherwise.bare ?? otherwise.step
  const step: Step = frame => {
    const value = condition(frame)
    if (value === true) return yes(frame)
    return value === false ? no(frame) : fail(NO_OVERLOAD)
  }
  return { step, bare: step }
}
