import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delegatedGroup } from './delegation.ts'

const USER = 'user.slice/user-1000.slice/user@1000.service'
for (const [what, own, ours, expected] of [
  ["a user's service", `/${USER}/app.slice/tutti.service`, [USER], USER],
  ['a session, which is not delegated', '/user.slice/user-1000.slice/session-1.scope', [USER], undefined],
  [
    'a service of the machine with Delegate=',
    '/system.slice/tutti.service',
    ['system.slice/tutti.service'],
    'system.slice/tutti.service',
  ],
  ['the root', '/', [], undefined],
] as const)
  test(`delegatedGroup: ${what}`, () => {
    const isOurs = (group: string) => ours.some(each => group === each || group.startsWith(`${each}/`))
    assert.equal(delegatedGroup(own, isOurs), expected)
  })
