import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallError, CODE } from '../../../lib/grpc/channel.ts'
import { virtualClock } from '../../../lib/virtual-clock.ts'
import { ready } from './ready.ts'
import type { CriCall } from './services.ts'

const AWAY = new CallError(CODE.unavailable, 'connect ENOENT')
const NOT_YET = new CallError(CODE.unknown, 'server is not initialized yet')
const BROKEN = new CallError(CODE.unimplemented, 'unknown service runtime.v1.RuntimeService')

/** Asks a runtime that has nothing to say for `awayMs` and is not initialized for `startingMs` after that. */
async function ask(awayMs: number, startingMs: number, refusal?: CallError) {
  const clock = virtualClock()
  const call = (async (method: string) => {
    if (refusal) throw refusal
    if (clock.elapsed() < awayMs) throw AWAY
    if (method === 'Version') return { runtimeName: 'containerd', runtimeVersion: '1.6.20' }
    if (clock.elapsed() < awayMs + startingMs) throw NOT_YET
    return { runtimeHandlers: [] }
  }) as unknown as CriCall
  let end: unknown
  void ready(call, clock).then(
    found => (end = found),
    error => (end = error),
  )
  await clock.advance(300_000)
  return end
}

const RUNTIME = { runtimeName: 'containerd', runtimeVersion: '1.6.20', status: { runtimeHandlers: [] } }

for (const [what, away, starting, refusal, expected] of [
  ['answers', 0, 0, undefined, RUNTIME],
  ['is being started', 10_000, 0, undefined, RUNTIME],
  ['tells its version and finds for a minute what it ran', 100, 60_000, undefined, RUNTIME],
  ['does not come', 60_000, 0, undefined, AWAY],
  ['is never ready', 0, 200_000, undefined, NOT_YET],
  ['is none', 0, 0, BROKEN, BROKEN],
] as const)
  test(`ready tells of a runtime that ${what}`, async () =>
    assert.deepEqual(await ask(away, starting, refusal), expected))
