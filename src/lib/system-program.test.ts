import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completePath } from './system-program.ts'

test('completePath keeps the order of a PATH and adds the folders that it lacks', () => {
  const cases = {
    '/own/bin:/usr/bin': '/own/bin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/bin',
    '': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    '/bin::/bin:': '/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin',
  }
  for (const [path, complete] of Object.entries(cases)) assert.equal(completePath(path), complete)
})
