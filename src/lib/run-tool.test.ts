import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createToolShell, quote } from './run-tool.ts'

const run = createToolShell()
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tutti-tool-')))
after(() => rmSync(folder, { recursive: true }))
const file = (name: string) => join(folder, name)
const read = (name: string) => readFileSync(file(name), 'utf8')
const works = () =>
  sh('true').then(
    () => true,
    () => false,
  )
const sh = (script: string, ...args: string[]) => run('sh', ['-c', script, 'sh', ...args])

test('runTool: words reach the program as they are', async () => {
  const words = ['a b', "it's", '$HOME', '`id`', '', '*', 'two\nlines', '"', '\\', '-n']
  await run('sh', ['-c', 'for each; do printf "%s\\0" "$each"; done >"$0"', file('words'), ...words])
  assert.deepEqual(read('words').split('\0').slice(0, -1), words)
})

test('runTool: input is what the program reads, and nothing of it is read by the shell', async () => {
  await run('sh', ['-c', 'cat >"$0"', file('input')], { input: '$HOME `id` \\n\n\'"\n' })
  assert.equal(read('input'), '$HOME `id` \\n\n\'"\n')
})

test('runTool: without input there is nothing to read', async () => {
  await run('sh', ['-c', 'cat >"$0"', file('none')])
  assert.equal(read('none'), '')
})

test('runTool: the folder is that of the program alone', async () => {
  await run('sh', ['-c', 'pwd >"$0"', file('there')], { cwd: folder })
  await run('sh', ['-c', 'pwd >"$0"', file('here')])
  assert.equal(read('there').trim(), folder)
  assert.notEqual(read('here').trim(), folder)
  await assert.rejects(run('true', [], { cwd: file('missing') }), /true failed: .*missing/)
})

const failures: [string, string, RegExp][] = [
  ['what it said, on either output', 'echo one; echo two >&2; exit 3', /^sh failed: one\ntwo$/],
  ['the status of one that said nothing', 'exit 4', /^sh failed: exit status 4$/],
  ['the status of one that was killed', 'kill -9 $$', /^sh failed: (Killed|exit status 137)$/],
  ['the beginning of what is too long', 'printf %20000d 0; exit 1', /^sh failed: exit status 1$/],
]
for (const [what, script, message] of failures)
  test(`runTool: a failure has ${what}`, () => assert.rejects(sh(script), { message }))

test('runTool: a program that does not exist is told', async () => {
  await assert.rejects(run('no-such-program', []), /no-such-program failed: .*not found/)
})

test('runTool: many run at once, and each gets its own answer', async () => {
  const all = Array.from({ length: 30 }, (_, at) => sh(`printf %.2500d ${at}; exit ${at % 2}`))
  const said = await Promise.all(
    all.map(each =>
      each.then(
        () => 'done',
        error => error.message,
      ),
    ),
  )
  said.forEach((text, at) => {
    if (at % 2) assert.match(text, /^sh failed: 0*\d+$/)
    else assert.equal(text, 'done')
  })
})

test('runTool: a slow one does not keep others waiting', async () => {
  await run('mkfifo', [file('gate')])
  const slow = run('sh', ['-c', 'cat "$0" >/dev/null', file('gate')])
  await sh('true')
  writeFileSync(file('gate'), '')
  await slow
})

/** Ends the shell (its own parent's parent), and after that what stands between. */
const KILL = 'kill -9 $(cut -d " " -f 4 /proc/$PPID/stat)'

test('runTool: what a shell had begun is told after its end, and another takes its place', async () => {
  await assert.rejects(sh(`${KILL}; echo late; exit 1`), /sh failed: late/)
  // Its end may be seen a moment later.
  while (!(await works()));
})

test('runTool: what can be told no more is said to be so', async () => {
  await assert.rejects(sh(`${KILL}; kill -9 $PPID`), /sh: its shell ended \(SIGKILL\)/)
  await sh('true')
})

test('quote: words of any sort stay words', () => {
  assert.equal(quote(["it's", 'a b', '']), `'it'\\''s' 'a b' ''`)
})
