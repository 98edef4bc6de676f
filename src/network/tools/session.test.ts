import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SessionEndedError, type SessionSpec, startSession } from './session.ts'

/** A program that answers each line: `fail` with a complaint, `die` by ending, `who` with its id, else with itself. */
const PROGRAM =
  'while read line; do case "$line" in fail) echo "Error: refused" >&2;; die) exit 3;; mark) echo "the mark";; who) echo $$;; *) echo "$line";; esac; done'

const start = (more: Partial<SessionSpec> = {}) =>
  startSession({
    command: 'sh',
    args: ['-c', PROGRAM],
    mark: 'mark',
    marked: /^the mark\n/m,
    failed: /^Error:/m,
    ...more,
  })

test('startSession answers each command with what was printed for it, in order', async () => {
  const session = start()
  assert.deepEqual(await Promise.all([session.run('one'), session.run('two\nthree')]), ['one\n', 'two\nthree\n'])
  session.close()
})

test('startSession rejects what the program complains about, and goes on', async () => {
  const session = start()
  await assert.rejects(session.run('fail'), /^Error: sh: Error: refused$/)
  assert.equal(await session.run('fine'), 'fine\n')
  session.close()
})

test('startSession starts the program again after it has ended', async () => {
  const session = start()
  const [died, next] = [session.run('die'), session.run('next')]
  await assert.rejects(died, SessionEndedError)
  assert.equal(await next, 'next\n')
  session.close()
  await assert.rejects(session.run('late'), /the session is closed/)
})

test('startSession lets another process take over when none waits, and tells of each', async () => {
  const started: number[] = []
  const session = start({ renewAfter: 2, started: pid => started.push(pid) })
  const three = await Promise.all([1, 2, 3].map(() => session.run('who')))
  const [first, second] = started.map(pid => `${pid}\n`)
  assert.deepEqual(three, [first, first, first], 'what waits is answered first')
  assert.equal(await session.run('who'), second)
  assert.equal(started.length, 2)
  session.close()
})

test('startSession says when the program does not exist', async () => {
  const session = startSession({
    command: '/no/such/program',
    args: [],
    mark: 'mark',
    marked: /^mark/,
    failed: /^Error/,
  })
  await assert.rejects(session.run('x'), SessionEndedError)
  session.close()
})
