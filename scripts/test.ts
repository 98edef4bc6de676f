/**
 * `npm test`: every test beside the code and in test/integration, and the end-to-end tests that this machine can run.
 * With arguments: only files whose path contains one of them. Slow suites are asked for by name:
 * `npm test -- robustness`. Tests on machines of their own, which take many minutes, run only where they are asked for:
 * `npm test -- test/machine`.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

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

/** Unit tests are small: one process each is dear, so they share the machine; end-to-end tests run one at a time. */
const serial = chosen.filter(file =>
  [join('test', 'e2e'), join('test', 'robustness'), MACHINE].some(folder => file.startsWith(folder)),
)
const parallel = chosen.filter(file => !serial.includes(file))
let failed = false
for (const [files, concurrency] of [
  [parallel, availableParallelism()],
  [serial, 1],
] as const) {
  if (files.length === 0) continue
  const { status } = spawnSync(
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
      stdio: 'inherit',
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules/.cache/compile'),
      },
    },
  )
  failed ||= status !== 0
}
process.exit(failed ? 1 : 0)
