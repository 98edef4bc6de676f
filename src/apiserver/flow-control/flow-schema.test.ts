import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyRulesWithSubjects } from '../../api/generated/types/flowcontrol-v1.ts'
import type { UserInfo } from '../authentication/authenticator.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import type { ServerRequest } from '../request.ts'
import { compileFlow } from './flow-schema.ts'

const request = (method: string, path: string, user: UserInfo): ServerRequest =>
  ({ path, user, info: parseRequestInfo(method, path, new URLSearchParams()) }) as ServerRequest

const ann: UserInfo = { name: 'ann', groups: ['readers', 'system:authenticated'] }
const bot: UserInfo = { name: 'system:serviceaccount:ci:bot', groups: ['system:serviceaccounts'] }
const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }
const group = (name: string) => ({ kind: 'Group', group: { name } })
const user = (name: string) => ({ kind: 'User', user: { name } })
const account = (namespace: string, name: string) => ({ kind: 'ServiceAccount', serviceAccount: { namespace, name } })
const PODS = '/api/v1/namespaces/a/pods'

const cases: [string, PolicyRulesWithSubjects, string, string, UserInfo, boolean][] = [
  ['a user', { subjects: [user('ann')], resourceRules: [everything] }, 'GET', PODS, ann, true],
  ['another user', { subjects: [user('bob')], resourceRules: [everything] }, 'GET', PODS, ann, false],
  ['any user', { subjects: [user('*')], resourceRules: [everything] }, 'GET', PODS, ann, true],
  ['a group', { subjects: [group('readers')], resourceRules: [everything] }, 'GET', PODS, ann, true],
  ['a service account', { subjects: [account('ci', 'bot')], resourceRules: [everything] }, 'GET', PODS, bot, true],
  ['all of a namespace', { subjects: [account('ci', '*')], resourceRules: [everything] }, 'GET', PODS, bot, true],
  ['those of another', { subjects: [account('cd', '*')], resourceRules: [everything] }, 'GET', PODS, bot, false],
  ['a verb', { subjects: [user('*')], resourceRules: [{ ...everything, verbs: ['get'] }] }, 'GET', PODS, ann, false],
  [
    'a namespace',
    { subjects: [user('*')], resourceRules: [{ ...everything, namespaces: ['b'] }] },
    'GET',
    PODS,
    ann,
    false,
  ],
  [
    'all namespaces',
    { subjects: [user('*')], resourceRules: [{ ...everything, clusterScope: false }] },
    'GET',
    '/api/v1/pods',
    ann,
    false,
  ],
  [
    'a subresource',
    { subjects: [user('*')], resourceRules: [{ ...everything, resources: ['pods/log'] }] },
    'GET',
    `${PODS}/x/log`,
    ann,
    true,
  ],
  [
    'a resource, not its subresource',
    { subjects: [user('*')], resourceRules: [{ ...everything, resources: ['pods'] }] },
    'GET',
    `${PODS}/x/log`,
    ann,
    false,
  ],
  [
    'a path',
    { subjects: [user('*')], nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }] },
    'GET',
    '/healthz',
    ann,
    true,
  ],
  [
    'paths below',
    { subjects: [user('*')], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['/openapi/*'] }] },
    'GET',
    '/openapi/v3',
    ann,
    true,
  ],
  [
    'a path, not a resource',
    { subjects: [user('*')], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] },
    'GET',
    PODS,
    ann,
    false,
  ],
]
for (const [what, rule, method, path, who, expected] of cases) {
  test(`a FlowSchema for ${what} ${expected ? 'matches' : 'does not match'} ${method} ${path} by ${who.name}`, () => {
    assert.equal(compileFlow({ spec: { rules: [rule] } } as never).matches(request(method, path, who)), expected)
  })
}

test('flows are told apart by user, by namespace or not at all', () => {
  const by = (type?: string) =>
    compileFlow({ spec: type ? { distinguisherMethod: { type } } : {} } as never).distinguisher(
      request('GET', PODS, ann),
    )
  assert.deepEqual([by('ByUser'), by('ByNamespace'), by()], ['ann', 'a', ''])
})
