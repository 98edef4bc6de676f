/**
 * `npm test`: every test beside the code and in test/integration, and the end-to-end tests that this machine can run.
 * With arguments: only files whose path contains one of them. Slow suites are asked for by name:
 * `npm test -- robustness`. Tests on machines of their own, which take many minutes, run only where they are asked for:
 * `npm test -- test/machine`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'

const root = join(import.meta.dirname, '..')
const all = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.test.ts') && !file.includes('node_modules'))
    .map(file => join(folder, file))
    .sort()

const MACHINE = join('test', 'machine')
const wanted = process.argv.slice(2).filter(argument => !argument.startsWith('-'))
const options = process.argv.slice(2).filter(argument => argument.startsWith('-'))
const chosen = ['src', 'test', 'scripts']
  .flatMap(all)
  .filter(file => wanted.length === 0 || wanted.some(part => file.includes(part)))
  .filter(file => !file.startsWith(MACHINE) || wanted.some(part => part.startsWith(MACHINE)))
if (chosen.length === 0) {
  console.error(`no test file matches ${wanted.join(' ')}`)
  process.exit(1)
}

const E2E = join('test', 'e2e')
/**
 * End-to-end tests that leave the machine's own network alone: their clusters are portable, rootless, or in network
 * namespaces that the test made. They run one at a time beside the others, of which one at a time may have it.
 */
const BESIDE = ['cli', 'full-disk', 'machines', 'package', 'users'].map(name => join(E2E, `${name}.test.ts`))

/** Unit tests are small: one process each is dear, so they share the machine; these run in two lines, see `BESIDE`. */
const serial = chosen.filter(file => [E2E, join('test', 'robustness'), MACHINE].some(folder => file.startsWith(folder)))
const parallel = chosen.filter(file => !serial.includes(file))

/** Runs the files, `concurrency` at a time; resolves with whether all passed. What `aside` says comes at its end. */
async function run(files: readonly string[], concurrency: number, aside = false): Promise<boolean> {
  if (files.length === 0) return true
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--test',
      `--test-concurrency=${concurrency}`,
      '--test-reporter=dot',
      '--test-reporter-destination=stderr',
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      ...options,
      ...files,
    ],
    {
      cwd: root,
      stdio: ['inherit', aside ? 'pipe' : 'inherit', 'inherit'],
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules/.cache/compile'),
      },
    },
  )
  const said = child.stdout ? buffer(child.stdout) : undefined
  const [code] = await once(child, 'close')
  if (said) process.stdout.write(await said)
  return code === 0
}

const small = await run(parallel, availableParallelism())
const large = await Promise.all([
  run(
    serial.filter(file => !BESIDE.includes(file)),
    1,
  ),
  run(
    serial.filter(file => BESIDE.includes(file)),
    1,
    true,
  ),
])
process.exitCode = small && large.every(Boolean) ? 0 : 1
