import assert from 'node:assert/strict'
import test from 'node:test'
import type { Attributes } from '../authorization/authorizer.ts'
import { planner, readPolicy } from './policy.ts'

const attributes = (of: Partial<Attributes> = {}): Attributes => ({
  user: { name: 'ann', groups: ['dev'] },
  verb: 'get',
  isResource: true,
  group: '',
  version: 'v1',
  namespace: 'shop',
  resource: 'pods',
  subresource: '',
  name: 'web',
  path: '/api/v1/namespaces/shop/pods/web',
  ...of,
})
const path = (path: string) => attributes({ isResource: false, resource: '', namespace: '', path })

const rules: readonly [name: string, rule: string, fits: Partial<Attributes>, not: Partial<Attributes>][] = [
  ['users', 'users: [ann]', {}, { user: { name: 'bob', groups: ['dev'] } }],
  ['groups', 'userGroups: [dev]', {}, { user: { name: 'ann', groups: ['ops'] } }],
  ['verbs', 'verbs: [get, list]', {}, { verb: 'delete' }],
  ['namespaces', 'namespaces: [shop]', {}, { namespace: 'other' }],
  ['cluster scope', 'namespaces: [""]', { namespace: '' }, {}],
  ['resources of a group', 'resources: [{group: ""}]', {}, { group: 'apps' }],
  ['every group', 'resources: [{group: "*"}]', { group: 'apps' }, path('/version')],
  ['one resource', 'resources: [{resources: [pods]}]', {}, { resource: 'secrets' }],
  ['a resource without subresources', 'resources: [{resources: [pods]}]', {}, { subresource: 'log' }],
  ['a subresource', 'resources: [{resources: [pods/log]}]', { subresource: 'log' }, {}],
  ['all subresources of one', 'resources: [{resources: ["pods/*"]}]', { subresource: 'log' }, { resource: 'nodes' }],
  ['one subresource of all', 'resources: [{resources: ["*/scale"]}]', { subresource: 'scale' }, {}],
  ['names', 'resources: [{resources: [pods], resourceNames: [web]}]', {}, { name: 'db' }],
  ['paths', 'nonResourceURLs: [/healthz*]', path('/healthz/ping'), path('/version')],
  ['all paths', 'nonResourceURLs: ["*"]', path('/version'), {}],
]
for (const [name, rule, fits, not] of rules) {
  test(`planner matches ${name}`, async () => {
    const text = `{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Metadata, ${rule}}]}`
    const plan = planner(await readPolicy(text))
    assert.equal(plan(attributes(fits)).level, 'Metadata')
    assert.equal(plan(attributes(not)).level, 'None')
  })
}

test('planner takes the first rule that fits, with the stages and the managed fields of policy and rule', async () => {
  const text = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- {level: None, users: [bob]}
- {level: RequestResponse, resources: [{resources: [pods]}], omitStages: [ResponseStarted], omitManagedFields: false}
- {level: Metadata}
`
  const plan = planner(await readPolicy(text))
  const first = plan(attributes())
  assert.deepEqual(
    [first.level, [...first.omitStages].sort(), first.omitManagedFields],
    ['RequestResponse', ['RequestReceived', 'ResponseStarted'], false],
  )
  const other = plan(attributes({ resource: 'secrets' }))
  assert.deepEqual(
    [other.level, [...other.omitStages], other.omitManagedFields],
    ['Metadata', ['RequestReceived'], true],
  )
  assert.equal(plan(attributes({ user: { name: 'bob', groups: [] } })).level, 'None')
})

const wrong: readonly [rules: string, message: RegExp][] = [
  ['rules: []', /^Error: rules: Required value/],
  ['rules: [{}]', /rules\[0\]\.level: Required value/],
  ['rules: [{level: All}]', /rules\[0\]\.level: Unsupported value: "All": supported values: "None", "Metadata"/],
  ['rules: [{level: None, verb: [get]}]', /unknown field "rules\[0\]\.verb"/],
  ['omitStages: [Late], rules: [{level: None}]', /omitStages\[0\]: Invalid value: "Late": allowed stages are/],
  ['rules: [{level: None, nonResourceURLs: [healthz]}]', /nonResourceURLs\[0\].*must begin with a '\/' character/],
  ['rules: [{level: None, nonResourceURLs: [/a*b]}]', /must be the final character/],
  ['rules: [{level: None, nonResourceURLs: [/a], namespaces: [b]}]', /cannot apply to both/],
  ['rules: [{level: None, resources: [{resourceNames: [a]}]}]', /requires at least one resource/],
  ['rules: [{level: None, resources: [{group: apps/v1}]}]', /resources\.group: Invalid value: "apps\/v1"/],
]
for (const [text, message] of wrong) {
  test(`readPolicy refuses ${text}`, async () => {
    await assert.rejects(readPolicy(`{apiVersion: audit.k8s.io/v1, kind: Policy, ${text}}`), message)
  })
}
