import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Transport } from '../../client/transport.ts'
import { nodeUsage, podUsage } from './usage.ts'

const LISTS: Readonly<Record<string, readonly unknown[]>> = {
  '/api/v1/nodes': [
    { metadata: { name: 'a' }, status: { allocatable: { cpu: '2', memory: '4Gi' } } },
    { metadata: { name: 'b' }, status: { allocatable: { cpu: '2', memory: '4Gi' } } },
  ],
  '/apis/metrics.k8s.io/v1beta1/nodes': [{ metadata: { name: 'a' }, usage: { cpu: '500100000n', memory: '1025Mi' } }],
  '/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods': [
    {
      metadata: { name: 'web', namespace: 'shop' },
      containers: [
        { name: 'main', usage: { cpu: '10m', memory: '1536Ki' } },
        { name: 'side', usage: { cpu: '1m', memory: '1536Ki' } },
      ],
    },
  ],
}
const transport = (async ({ path }) => ({ status: 200, object: { items: LISTS[path] } })) as Transport

test('nodeUsage tells of every node, also of one that does not answer', async () => {
  assert.deepEqual(
    (await nodeUsage(transport, {})).map(({ cells }) => cells),
    [
      ['a', '501m', '25%', '1025Mi', '25%'],
      ['b', '<unknown>', '<unknown>', '<unknown>', '<unknown>'],
    ],
  )
})

test('podUsage adds up what the containers of a pod use', async () => {
  const [row] = await podUsage(transport, 'shop', {})
  assert.deepEqual([row?.namespace, ...(row?.cells ?? [])], ['shop', 'web', '11m', '3Mi'])
})
