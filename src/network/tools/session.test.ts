import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SessionEndedError, startSession } from './session.ts'

/** A program that answers each line: `fail` with a complaint, `die` by ending, anything else with itself. */
const PROGRAM =
  'while read line; do case "$line" in fail) echo "Error: refused" >&2;; die) exit 3;; mark) echo "the mark";; *) echo "$line";; esac; done'

const start = () =>
  startSession({ command: 'sh', args: ['-c', PROGRAM], mark: 'mark', marked: /^the mark\n/m, failed: /^Error:/m })

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
