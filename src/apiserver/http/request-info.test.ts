import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRequestInfo } from './request-info.ts'

const cases: [string, string, string, Record<string, string>][] = [
  ['GET', '/api/v1/pods', '', { verb: 'list', version: 'v1', resource: 'pods' }],
  ['GET', '/api/v1/pods', 'watch=1', { verb: 'watch', resource: 'pods' }],
  ['GET', '/api/v1/pods', 'watch=false', { verb: 'list' }],
  ['GET', '/api/v1/namespaces/a/pods/b', '', { verb: 'get', namespace: 'a', resource: 'pods', name: 'b' }],
  ['GET', '/api/v1/namespaces/a/pods/b/log', '', { verb: 'get', resource: 'pods', name: 'b', subresource: 'log' }],
  ['GET', '/api/v1/namespaces/a', '', { verb: 'get', namespace: 'a', resource: 'namespaces', name: 'a' }],
  ['PUT', '/api/v1/namespaces/a/finalize', '', { verb: 'update', resource: 'namespaces', subresource: 'finalize' }],
  ['GET', '/api/v1/namespaces/a/pods', '', { verb: 'list', namespace: 'a', resource: 'pods', name: '' }],
  ['DELETE', '/apis/apps/v1/namespaces/a/deployments', '', { verb: 'deletecollection', group: 'apps' }],
  ['POST', '/apis/apps/v1/namespaces/a/deployments/', '', { verb: 'create', resource: 'deployments', name: '' }],
  ['GET', '/api/v1/watch/namespaces/a/pods', '', { verb: 'watch', namespace: 'a', resource: 'pods' }],
  ['GET', '/api/v1/namespaces/a/services/b/proxy/c/d', '', { subresource: 'proxy', rest: 'c/d' }],
  ['GET', '/api/v1/pods', 'fieldSelector=metadata.name%3Dx', { verb: 'list', name: 'x' }],
  ['GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode', '', { name: 'system:node' }],
]

for (const [method, path, query, expected] of cases) {
  test(`parseRequestInfo reads ${method} ${path}?${query}`, () => {
    const info = parseRequestInfo(method, path, new URLSearchParams(query))
    assert.deepEqual({ ...info, ...expected, isResource: true }, info)
  })
}

test('parseRequestInfo knows paths that are no resources', () => {
  for (const path of ['/', '/version', '/api', '/api/v1', '/apis/apps/v1', '/apis/apps', '/healthz/ping']) {
    assert.equal(parseRequestInfo('GET', path, new URLSearchParams()).isResource, false, path)
  }
})
