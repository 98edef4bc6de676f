import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../../api/generated/types/core-v1.ts'
import { foreignName } from './node-request.ts'

const node = (name: string, ...addresses: string[]): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  status: { addresses: addresses.map(address => ({ type: 'InternalIP', address })) },
})
const nodes = [node('a', 'a', '192.0.2.1', '127.0.0.1', '10.96.0.1', '192.0.2.9'), node('b', 'b', '192.0.2.9')]
const reserved = ['10.96.0.1', 'kubernetes.default']

test('foreignName finds what a node may not serve under', () => {
  const cases: readonly (readonly [dns: string[], ips: string[], found: string | undefined])[] = [
    [['a'], ['192.0.2.1'], undefined],
    [['b'], [], 'b'],
    [[], ['192.0.2.2'], '192.0.2.2'],
    // Another node says it has it too.
    [['a'], ['192.0.2.9'], '192.0.2.9'],
    // Its object names them, and they are the API server's, or everybody's.
    [[], ['10.96.0.1'], '10.96.0.1'],
    [[], ['127.0.0.1'], '127.0.0.1'],
  ]
  for (const [dns, ips, found] of cases) {
    const wish = { commonName: 'system:node:a', organizations: ['system:nodes'], dns, ips, emails: [], uris: [] }
    assert.equal(foreignName(wish, nodes, reserved), found, `${dns} ${ips}`)
  }
  const stranger = { commonName: 'system:node:c', organizations: [], dns: ['a'], ips: [], emails: [], uris: [] }
  assert.equal(foreignName(stranger, nodes, reserved), 'a')
})
