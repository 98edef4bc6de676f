import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { capabilityIn } from './capability.ts'

const NAME = 'SCHILY.xattr.security.capability'
const record = (name: string, value: string) => {
  const rest = ` ${name}=${value}\n`
  const size = rest.length + 2
  return `${size}${rest}`
}
const value = '\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0'

describe('capabilityIn', () => {
  for (const [what, header, expected] of [
    ['a header of its own', record(NAME, value), value],
    ['a header with others', record('path', 'a\n99 b=c') + record(NAME, value) + record('mtime', '1.5'), value],
    ['a value with a newline in it', record(NAME, `\n${value.slice(1)}`), `\n${value.slice(1)}`],
    ['no such attribute', record('SCHILY.xattr.user.x', value), undefined],
    ['a byte that was lost', record(NAME, `\ufffd${value.slice(1)}`), undefined],
    ['a size that is not true', record(NAME, value).replace(/^\d+/, '99'), undefined],
    ['a value that is too long', record(NAME, 'x'.repeat(25)), undefined],
    ['nothing', '', undefined],
  ] as const) {
    it(`reads ${what}`, () => assert.deepEqual(capabilityIn(header)?.toString('latin1'), expected))
  }
})
