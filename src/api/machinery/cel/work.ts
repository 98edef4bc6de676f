import { CostExceeded } from './errors.ts'

/**
 * What costs do not see: comparing, reading through and joining values that expressions have built, which may be far
 * larger than what they cost to build. An evaluation that does more of it than any real one is ended, as one that
 * costs too much. Evaluations never wait in between, so that one count serves all.
 */
const LIMIT = 10_000_000
/** Characters of a string that is made. */
const LONGEST = 2 ** 26

let left = LIMIT

/** An evaluation begins. */
export function refillWork(): void {
  left = LIMIT
}

/** @throws CostExceeded when a string of this length is too long to be made */
export function checkLength(length: number): void {
  if (length > LONGEST) throw new CostExceeded()
}

/** @throws CostExceeded when the evaluation has done too much */
export function work(steps = 1): void {
  left -= steps
  if (left < 0) throw new CostExceeded()
}
