import assert from 'node:assert/strict'
import { test } from 'node:test'
import { person } from '../bootstrap/server.fixture.ts'
import type { Answer, ServerRequest } from '../request.ts'
import type { Attributes, UserInfo } from './auth.ts'
import { impersonationFilter } from './impersonation.ts'

/** Sends headers through the filter as ann, and gives the user that comes out and what was asked. */
async function act(headers: Record<string, string | string[]>, refuse = '') {
  const asked: string[] = []
  const authorize = (request: Attributes) => {
    const question = [request.verb, request.namespace, request.resource, request.subresource, request.name]
      .filter(Boolean)
      .join(' ')
    asked.push(question)
    return { allowed: question !== refuse }
  }
  let user: UserInfo | undefined
  const filter = impersonationFilter(authorize)(async request => {
    user = request.user
    return {} as Answer
  })
  await filter({ headers, user: person('ann') } as unknown as ServerRequest)
  return { user, asked }
}

test('impersonationFilter puts the named user in place of the one that asks', async () => {
  const cases: [Record<string, string | string[]>, UserInfo, string[]][] = [
    [{}, person('ann'), []],
    [{ 'impersonate-user': 'bob' }, { name: 'bob', groups: ['system:authenticated'] }, ['impersonate users bob']],
    [
      { 'impersonate-user': 'bob', 'impersonate-group': 'a, b', 'impersonate-uid': '7' },
      { name: 'bob', uid: '7', groups: ['a', 'b', 'system:authenticated'] },
      ['impersonate users bob', 'impersonate groups a', 'impersonate groups b', 'impersonate uids 7'],
    ],
    [
      { 'impersonate-user': 'system:serviceaccount:shop:web' },
      {
        name: 'system:serviceaccount:shop:web',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
      },
      ['impersonate shop serviceaccounts web'],
    ],
    [
      { 'impersonate-user': 'bob', 'impersonate-extra-scopes%2fx': 'read' },
      { name: 'bob', groups: ['system:authenticated'], extra: { 'scopes/x': ['read'] } },
      ['impersonate users bob', 'impersonate userextras scopes/x read'],
    ],
    [
      { 'impersonate-user': 'system:anonymous' },
      { name: 'system:anonymous', groups: ['system:unauthenticated'] },
      ['impersonate users system:anonymous'],
    ],
  ]
  for (const [headers, user, asked] of cases) assert.deepEqual(await act(headers), { user, asked })
})

test('impersonationFilter refuses what the one that asks may not be', async () => {
  await assert.rejects(act({ 'impersonate-user': 'bob' }, 'impersonate users bob'), {
    message:
      'users "bob" is forbidden: User "ann" cannot impersonate resource "users" in API group "" at the cluster scope',
  })
  await assert.rejects(act({ 'impersonate-group': 'a' }), /without impersonating a user/)
})
