import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinds } from '../api/kinds/all.ts'
import type { Kind } from '../api/machinery/kind.ts'
import type { KubeObject } from '../api/machinery/object.ts'
import { portableKinds } from './portable-kinds.ts'

const slice = (address: string) =>
  ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'a', namespace: 'b' },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address] }],
    ports: [],
  }) as KubeObject
const problems = (all: readonly Kind[], object: KubeObject) => {
  const kind = all.find(each => each.key === 'discovery.k8s.io/v1/endpointslices')!
  return (kind.rules ?? []).flatMap(rule => rule(object, undefined, { subresource: '', now: 0 }))
}

test('portableKinds allow loopback addresses in endpoints, and nothing else', () => {
  assert.match(problems(kinds, slice('127.0.0.1'))[0]?.message ?? '', /loopback range/)
  assert.deepEqual(problems(portableKinds(kinds), slice('127.0.0.1')), [])
  assert.notDeepEqual(problems(portableKinds(kinds), slice('300.0.0.1')), [])
})
