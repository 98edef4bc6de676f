import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { realClock } from '../../../lib/clock.ts'
import { PATIENCE } from '../../../lib/eventually.fixture.ts'
import { runCommand } from './exec.ts'

/** What a command says and how it ends, with its pipes made in `folder`. */
async function run(folder: string, script: string) {
  const heard = { stdout: '', stderr: '' }
  const take = (stream: keyof typeof heard) => async (chunk: Uint8Array) => {
    heard[stream] += Buffer.from(chunk)
  }
  const platform = { namespaces: false, root: false, seLinux: false, tools: {}, cgroups: undefined }
  const { exitCode } = await runCommand(
    { platform, clock: realClock },
    ['/bin/sh', '-c', script],
    { env: {}, cwd: undefined, tty: false, folder },
    { stdout: take('stdout'), stderr: take('stderr'), signal: AbortSignal.timeout(PATIENCE) },
  )
  return { ...heard, exitCode }
}

it('runCommand leaves nothing of its pipes', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-exec-'))
  t.after(() => rmSync(folder, { recursive: true }))
  assert.deepEqual(await run(folder, 'echo out >/dev/stdout; echo err >/dev/stderr'), {
    stdout: 'out\n',
    stderr: 'err\n',
    exitCode: 0,
  })
  assert.deepEqual(readdirSync(folder), [])
})

it('runCommand runs a command where no pipes can be made, as on a full disk', async () => {
  assert.deepEqual(await run('/nowhere', 'echo out; echo err >&2; exit 3'), {
    stdout: 'out\n',
    stderr: 'err\n',
    exitCode: 3,
  })
})
