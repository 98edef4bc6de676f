import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attributes } from '../../authorization/authorizer.ts'
import { person } from '../../bootstrap/server.fixture.ts'
import { parseRequestInfo } from '../../http/request-info.ts'
import type { Answer, ServerRequest } from '../../request.ts'
import type { UserInfo } from '../authenticator.ts'
import { impersonationFilter } from './impersonation.ts'

type Headers = Record<string, string | string[]>

const words = ({ verb, group, namespace, resource, subresource, name, path }: Attributes) =>
  [verb, group && `${group}:`, namespace, resource || path, subresource, name].filter(Boolean).join(' ')

/** Sends headers of a list of pods through the filter; gives the user that comes out and what was asked. */
async function act(headers: Headers, may: (question: string) => boolean = () => true, by: UserInfo = person('ann')) {
  const asked: string[] = []
  const authorize = (request: Attributes) => {
    asked.push(words(request))
    return { allowed: may(words(request)) }
  }
  let user: UserInfo | undefined
  const filter = impersonationFilter(authorize)(async request => {
    user = request.user
    return {} as Answer
  })
  const sent = { ...headers }
  const path = '/api/v1/namespaces/shop/pods'
  const query = new URLSearchParams()
  const info = parseRequestInfo('GET', path, query)
  await filter({ headers: sent, user: by, info, path, query } as unknown as ServerRequest)
  assert.deepEqual(Object.keys(sent), [], 'nothing behind sees the headers')
  return { user, asked }
}

const legacyOnly = (question: string) => question.startsWith('impersonate ')

test('impersonationFilter puts the named user in place of the one that asks', async () => {
  const cases: [Headers, UserInfo, string[]][] = [
    [{}, person('ann'), []],
    [{ 'impersonate-user': 'bob' }, { name: 'bob', groups: ['system:authenticated'] }, ['impersonate users bob']],
    [
      { 'impersonate-user': 'bob', 'impersonate-group': 'a, b', 'impersonate-uid': '7' },
      { name: 'bob', uid: '7', groups: ['a', 'b', 'system:authenticated'] },
      [
        'impersonate users bob',
        'impersonate authentication.k8s.io: uids 7',
        'impersonate groups a',
        'impersonate groups b',
      ],
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
      ['impersonate users bob', 'impersonate authentication.k8s.io: userextras scopes/x read'],
    ],
    [
      { 'impersonate-user': 'system:anonymous' },
      { name: 'system:anonymous', groups: ['system:unauthenticated'] },
      ['impersonate users system:anonymous'],
    ],
    [
      { 'impersonate-user': 'bob', 'impersonate-group': 'system:unauthenticated' },
      { name: 'bob', groups: ['system:unauthenticated'] },
      ['impersonate users bob', 'impersonate groups system:unauthenticated'],
    ],
    [
      { 'impersonate-user': 'system:node:n1' },
      { name: 'system:node:n1', groups: ['system:authenticated'] },
      ['impersonate users system:node:n1'],
    ],
  ]
  for (const [headers, user, wanted] of cases) {
    const { user: found, asked } = await act(headers, legacyOnly)
    assert.deepEqual([found, asked.filter(legacyOnly)], [user, wanted])
  }
})

test('impersonationFilter asks in the constrained modes for the deed as well as for the identity', async () => {
  const agent: UserInfo = {
    name: 'system:serviceaccount:kube-system:agent',
    groups: ['system:authenticated'],
    extra: { 'authentication.kubernetes.io/node-name': ['n1'] },
  }
  const cases: [Headers, string[], UserInfo, UserInfo?][] = [
    [
      { 'impersonate-user': 'bob', 'impersonate-group': 'dev' },
      [
        'impersonate-on:user-info:list shop pods',
        'impersonate:user-info authentication.k8s.io: users bob',
        'impersonate:user-info authentication.k8s.io: groups dev',
      ],
      { name: 'bob', groups: ['dev', 'system:authenticated'] },
    ],
    [
      { 'impersonate-user': 'system:serviceaccount:shop:web' },
      [
        'impersonate-on:serviceaccount:list shop pods',
        'impersonate:serviceaccount authentication.k8s.io: shop serviceaccounts web',
      ],
      {
        name: 'system:serviceaccount:shop:web',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
      },
    ],
    [
      { 'impersonate-user': 'system:node:n2' },
      ['impersonate-on:arbitrary-node:list shop pods', 'impersonate:arbitrary-node authentication.k8s.io: nodes n2'],
      { name: 'system:node:n2', groups: ['system:nodes', 'system:authenticated'] },
      agent,
    ],
    [
      { 'impersonate-user': 'system:node:n1' },
      ['impersonate-on:associated-node:list shop pods', 'impersonate:associated-node authentication.k8s.io: nodes *'],
      { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] },
      agent,
    ],
  ]
  for (const [headers, asked, user, by] of cases) assert.deepEqual(await act(headers, undefined, by), { user, asked })
})

test('impersonationFilter refuses what the one that asks may not be, in the words of Kubernetes', async () => {
  const none = () => false
  await assert.rejects(act({ 'impersonate-user': 'bob' }, none), {
    message:
      'pods is forbidden: User "ann" cannot impersonate-on:user-info:list resource "pods" in API group "" in the namespace "shop"',
  })
  const but = (question: string) => (asked: string) => asked !== question && legacyOnly(asked)
  await assert.rejects(act({ 'impersonate-user': 'bob', 'impersonate-group': 'a' }, but('impersonate groups a')))
  const constrainedOnly = (asked: string) => !legacyOnly(asked)
  for (const [headers, message] of [
    [{ 'impersonate-group': 'system:masters' }, /impersonating the system:masters group is not allowed/],
    [{ 'impersonate-group': ['a', ''] }, /the empty string group is not allowed/],
    [{ 'impersonate-extra-x': 'y' }, /an invalid key in extra is not allowed/],
  ] as const)
    await assert.rejects(act({ 'impersonate-user': 'bob', ...headers } as Headers, constrainedOnly), message)
  await assert.rejects(act({ 'impersonate-group': 'a' }), {
    message:
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"a"}, Extra:map[string][]string(nil)} without impersonating a user name',
  })
})

test('impersonationFilter keeps a group whose name holds a comma in one piece', async () => {
  const authorize = () => ({ allowed: true })
  let user: UserInfo | undefined
  const filter = impersonationFilter(authorize)(async request => {
    user = request.user
    return {} as Answer
  })
  const path = '/version'
  const query = new URLSearchParams()
  await filter({
    headers: { 'impersonate-user': 'bob', 'impersonate-group': 'a, system:nodes' },
    rawHeaders: ['Impersonate-User', 'bob', 'Impersonate-Group', 'a, system:nodes'],
    user: person('ann'),
    info: parseRequestInfo('GET', path, query),
    path,
    query,
  } as unknown as ServerRequest)
  assert.deepEqual(user?.groups, ['a, system:nodes', 'system:authenticated'])
})

test('impersonationFilter knows the verb impersonate alone where the constrained modes are off', async () => {
  const asked: string[] = []
  const authorize = (request: Attributes) => {
    asked.push(words(request))
    return { allowed: true }
  }
  const filter = impersonationFilter(authorize, { constrained: false })(async () => ({}) as Answer)
  const path = '/api/v1/namespaces/shop/pods'
  const query = new URLSearchParams()
  const info = parseRequestInfo('GET', path, query)
  const headers = { 'impersonate-user': 'bob' }
  await filter({ headers, user: person('ann'), info, path, query } as unknown as ServerRequest)
  assert.deepEqual(asked, ['impersonate users bob'])
})
