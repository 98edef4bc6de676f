import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseForward } from './port-forward.ts'

test('parseForward reads PORT, LOCAL:REMOTE and :REMOTE', () => {
  assert.deepEqual(parseForward('8080'), { local: 8080, remote: 8080 })
  assert.deepEqual(parseForward('8080:80'), { local: 8080, remote: 80 })
  assert.deepEqual(parseForward(':80'), { local: 0, remote: 80 })
})

for (const text of ['', 'x', '0', '80:', '80:x', '70000', '1:70000', '-1:80']) {
  test(`parseForward refuses "${text}"`, () =>
    assert.throws(() => parseForward(text), /must be PORT, LOCAL:REMOTE or :REMOTE/))
}
