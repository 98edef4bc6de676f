import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

/** Tells which packages, and which parts of Node, are loaded once the program is. */
const PROBE = `
  import { createRequire } from 'node:module'
  await import(process.argv[1])
  const files = Object.keys(createRequire(import.meta.url).cache)
  const packages = new Set(files.map(file => /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(file)?.[1]))
  console.log(JSON.stringify({ packages: [...packages], builtins: process.moduleLoadList }))
`

/** With what they pull in themselves. */
const AT_START = ['dns-packet', 'pino']

test('the program that runs in the background loads neither heavy packages nor the fetch client before they are used', async () => {
  const main = join(import.meta.dirname, 'daemon.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROBE, main])
  const { packages, builtins } = JSON.parse(stdout) as { packages: string[]; builtins: string[] }
  const own = new Set(
    Object.keys((await import('../../package.json', { with: { type: 'json' } })).default.dependencies),
  )
  assert.deepEqual(packages.filter(name => own.has(name)).sort(), AT_START)
  assert.deepEqual(
    builtins.filter(name => name.includes('undici')),
    [],
  )
})

test('the program from source finds itself in the compile cache, and does without the type stripper', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'compile-'))
  const tell = `data:text/javascript,process.on('exit', () => console.log(JSON.stringify(process.moduleLoadList)))`
  const run = async () => {
    const args = ['--import', tell, join(import.meta.dirname, 'start.mjs'), 'completion', 'bash']
    const env = { ...process.env, NODE_COMPILE_CACHE: cache }
    const { stdout } = await promisify(execFile)(process.execPath, args, { env })
    return stdout.trim().split('\n').at(-1)!.includes('amaro')
  }
  try {
    assert.equal(await run(), true)
    assert.equal(await run(), false)
  } finally {
    rmSync(cache, { recursive: true })
  }
})
