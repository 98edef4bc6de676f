import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOomReasons } from './oom.ts'
import type { KnownContainer, KnownSandbox } from './status.ts'

const SANDBOX = { note: {}, status: { id: 's' } } as KnownSandbox
const ended = (exitCode: number, reason: string) => ({ status: { exitCode, reason } }) as KnownContainer

/** What is made of a container that ends so, in a pod of which so many processes were killed before and are now. */
function reason(before: number, now: number | undefined, exitCode: number, said: string): string | undefined {
  let kills: number | undefined = before
  const reasons = createOomReasons(() => kills)
  reasons.seen(SANDBOX)
  kills = now
  return reasons.explain(ended(exitCode, said), SANDBOX).status.reason
}

for (const [what, before, now, exitCode, said, expected] of [
  ['names what the kernel did where the runtime does not', 0, 1, 137, 'Error', 'OOMKilled'],
  ['leaves what was killed by somebody else', 1, 1, 137, 'Error', 'Error'],
  ['leaves what ended by itself', 0, 1, 1, 'Error', 'Error'],
  ['leaves what the runtime knows', 0, 1, 137, 'OOMKilled', 'OOMKilled'],
  ['leaves what cannot be told', 0, undefined, 137, 'Error', 'Error'],
] as const)
  test(`createOomReasons ${what}`, () => {
    assert.equal(reason(before, now, exitCode, said), expected)
  })

test('createOomReasons takes each kill for one end', () => {
  const reasons = createOomReasons(() => 1)
  const reasonOf = () => reasons.explain(ended(137, 'Error'), SANDBOX).status.reason
  assert.deepEqual([reasonOf(), reasonOf()], ['OOMKilled', 'Error'])
})

test('createOomReasons keeps a reason when a container is read again, unless the runtime has learnt another', () => {
  const { keep } = createOomReasons(() => 0)
  const reasonOf = (said: string, before: string) => keep(ended(137, said), ended(137, before)).status.reason
  assert.deepEqual(
    [reasonOf('Error', 'OOMKilled'), reasonOf('Error', 'Error'), reasonOf('OOMKilled', 'Error')],
    ['OOMKilled', 'Error', 'OOMKilled'],
  )
})
