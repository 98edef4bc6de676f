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

/** Opens a cluster's certificates as a start does, and tells which packages were loaded for it. */
const CERTIFICATES = `
  import { createRequire } from 'node:module'
  const [, files, clock, dir] = process.argv
  const { foresee, openPki } = await import(files)
  const { realClock } = await import(clock)
  foresee(dir)
  const pki = openPki({ dir, clock: realClock })
  await Promise.all([pki.authority(), pki.server(), pki.admin(), pki.frontProxyAuthority(), pki.frontProxyClient()])
  await new Promise(resolve => setImmediate(resolve))
  console.log(Object.keys(createRequire(import.meta.url).cache).some(file => file.includes('@peculiar/x509')))
`

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

test('certificates that are there are read without the library that makes them', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'pki-'))
  const run = async () => {
    const files = ['lib/pki/files.ts', 'lib/clock.ts'].map(file => join(import.meta.dirname, '..', file))
    const args = ['--input-type=module', '-e', CERTIFICATES, ...files, dir]
    return (await promisify(execFile)(process.execPath, args)).stdout.trim()
  }
  try {
    assert.equal(await run(), 'true')
    assert.equal(await run(), 'false')
  } finally {
    rmSync(dir, { recursive: true })
  }
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
