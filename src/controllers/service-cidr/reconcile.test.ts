import assert from 'node:assert/strict'
import test from 'node:test'
import type { IPAddress, ServiceCIDR } from '../../api/generated/types/networking-v1.ts'
import { FINALIZER, reconcile } from './reconcile.ts'

const NOW = Date.parse('2026-01-01T00:01:00Z')
const deleted = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()

const cidr = (name: string, network: string, metadata: object = {}): ServiceCIDR => ({
  metadata: { name, finalizers: [FINALIZER], ...metadata },
  spec: { cidrs: [network] },
})
const address = (name: string): IPAddress => ({
  metadata: { name, labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } },
  spec: { parentRef: { resource: 'services', namespace: 'default', name: 'web' } },
})

/** What a pass does, in words. */
function passOf(own: ServiceCIDR, others: ServiceCIDR[] = [], addresses: string[] = []): string {
  const { writes = [], requeue } = reconcile(own, [own, ...others], addresses.map(address), NOW)
  const [write] = writes
  if (write?.type === 'update') return `finalizers ${write.next.metadata?.finalizers?.length}`
  if (write?.type === 'status') {
    const { conditions } = (write.next as ServiceCIDR).status!
    return `${conditions![0]!.status} ${conditions![0]!.reason}`
  }
  return requeue?.type === 'after' ? `after ${requeue.ms}` : 'nothing'
}

const long = { deletionTimestamp: deleted(30) }
const cases: readonly [name: string, pass: () => string, expected: string][] = [
  ['holds a new network', () => passOf(cidr('a', '10.1.0.0/24', { finalizers: [] })), 'finalizers 1'],
  ['says that a network is ready', () => passOf(cidr('a', '10.1.0.0/24')), 'True '],
  [
    'keeps one whose addresses are used',
    () => passOf(cidr('a', '10.1.0.0/24', long), [], ['10.1.0.9']),
    'False Terminating',
  ],
  ['lets go of one that is unused', () => passOf(cidr('a', '10.1.0.0/24', long), [], ['10.2.0.9']), 'finalizers 0'],
  [
    'waits until all have seen its end',
    () => passOf(cidr('a', '10.1.0.0/24', { deletionTimestamp: deleted(3) })),
    'after 7000',
  ],
  [
    'lets go of one that lies in another',
    () => passOf(cidr('a', '10.1.0.0/24', long), [cidr('b', '10.1.0.0/16')], ['10.1.0.9']),
    'finalizers 0',
  ],
  [
    'lets go of one whose used addresses lie in others too',
    () => passOf(cidr('a', '10.1.0.0/24', long), [cidr('b', '10.1.0.0/28')], ['10.1.0.9']),
    'finalizers 0',
  ],
  [
    'leaves one alone that it does not hold',
    () => passOf(cidr('a', '10.1.0.0/24', { ...long, finalizers: ['x'] })),
    'nothing',
  ],
]
for (const [name, pass, expected] of cases) test(`reconcile ${name}`, () => assert.equal(pass(), expected))

test('reconcile writes nothing on its own output', () => {
  const own = cidr('a', '10.1.0.0/24')
  const [write] = reconcile(own, [own], [], NOW).writes!
  assert.ok(write?.type === 'status')
  assert.deepEqual(reconcile(write.next as ServiceCIDR, [own], [], NOW + 1000), {})
})
