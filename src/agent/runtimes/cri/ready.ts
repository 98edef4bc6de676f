/** Waits for a runtime that is being started. */
import { type Clock, sleep } from '../../../lib/clock.ts'
import { CallError, CODE } from '../../../lib/grpc/channel.ts'
import type { CriCall } from './services.ts'

/** It answers within this time (ms). */
const READY_MS = 15_000

/** Asks it until it answers; resolves with its name and version, and rejects with its last refusal. */
export async function ready(call: CriCall, clock: Clock) {
  const until = clock.elapsed() + READY_MS
  for (let step = 5; ; step = Math.min(step * 2, 200)) {
    try {
      return await call('Version', { version: 'v1' }, { timeoutMs: READY_MS })
    } catch (error) {
      const isAway = error instanceof CallError && error.code === CODE.unavailable
      if (!isAway || clock.elapsed() > until) throw error
    }
    await sleep(clock, step)
  }
}
