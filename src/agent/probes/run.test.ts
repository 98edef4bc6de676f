import assert from 'node:assert/strict'
import { test } from 'node:test'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { type RuntimeDriver, RuntimeError } from '../runtimes/runtime.ts'
import { execProbe } from './run.ts'

const aborted = (signal: AbortSignal) =>
  new Promise<{ exitCode: number }>(resolve => signal.addEventListener('abort', () => resolve({ exitCode: 137 })))

for (const [what, driver] of [
  [
    'that kills it itself',
    { execSync: () => Promise.reject(new RuntimeError('DeadlineExceeded', 'timeout 1s exceeded')) },
  ],
  ['that is told to kill it', { exec: (_id, _command, _tty, { signal }) => aborted(signal) }],
] satisfies [string, Partial<RuntimeDriver>][]) {
  test(`execProbe says that a command took too long, with a runtime ${what}`, async () => {
    const clock = virtualClock()
    const target = {
      driver: driver as Partial<RuntimeDriver> as RuntimeDriver,
      clock,
      containerId: 'c',
      container: { name: 'main' },
      host: '',
      ports: {},
    }
    const result = execProbe(target, ['sleep', '9'], 1000)
    await clock.advance(1000)
    assert.deepEqual(await result, { ok: false, output: 'command timed out: "sleep 9" timed out after 1s' })
  })
}
