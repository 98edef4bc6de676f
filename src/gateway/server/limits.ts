/** What clients of either protocol are held to. */

/** Bytes of a request's head. */
export const HEAD_BYTES = 16_384
/** A connection without a request is kept so long, in ms. */
export const IDLE_MS = 75_000
/** A client that takes nothing of an answer is given up after this time, in ms. */
export const STALL_MS = 300_000
