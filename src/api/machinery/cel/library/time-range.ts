import { fail } from '../errors.ts'
import { Duration, Timestamp } from '../values.ts'

const SECOND = 1_000_000_000n
/** The seconds of the years 1 to 9999. */
export const FIRST_SECOND = -62_135_596_800n
export const LAST_SECOND = 253_402_300_799n
const INT64 = 2n ** 63n

export const isTimestampInRange = (nanos: bigint | undefined): boolean =>
  nanos !== undefined && nanos >= FIRST_SECOND * SECOND && nanos < (LAST_SECOND + 1n) * SECOND

/** The moment, when it is in the years 1 to 9999. */
export function timestampInRange(nanos: bigint, offset = 0): Timestamp {
  if (!isTimestampInRange(nanos)) return fail('timestamp overflow')
  return new Timestamp(nanos, offset)
}

/** The duration, when its nanoseconds fit into 64 bits. */
export function durationInRange(nanos: bigint): Duration {
  if (nanos < -INT64 || nanos >= INT64) return fail('integer overflow')
  return new Duration(nanos)
}
