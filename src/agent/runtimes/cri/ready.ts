/** Waits for a runtime that is being started. */
import { type Clock, sleep } from '../../../lib/clock.ts'
import { CallError, CODE } from '../../../lib/grpc/channel.ts'
import type { CriCall } from './services.ts'

/** It answers within this time (ms), */
const READY_MS = 15_000
/** and has found what it ran before within this: the more that is, and the busier the machine, the longer it takes. */
const RECOVERED_MS = 120_000
/** containerd says so meanwhile, before 2.0 with no code of its own. It tells its version all the same. */
const NOT_YET = 'server is not initialized yet'

const isStarting = (error: unknown) =>
  error instanceof CallError && (error.code === CODE.unavailable || error.message === NOT_YET)

/** Asks it until it can be used; resolves with its name, version and status, and rejects with its last refusal. */
export async function ready(call: CriCall, clock: Clock) {
  const begun = clock.elapsed()
  let limit = READY_MS
  for (let step = 5; ; step = Math.min(step * 2, 200)) {
    try {
      const { runtimeName, runtimeVersion } = await call('Version', { version: 'v1' }, { timeoutMs: READY_MS })
      limit = RECOVERED_MS
      return { runtimeName, runtimeVersion, status: await call('Status', {}, { timeoutMs: READY_MS }) }
    } catch (error) {
      if (!isStarting(error) || clock.elapsed() - begun > limit) throw error
    }
    await sleep(clock, step)
  }
}
