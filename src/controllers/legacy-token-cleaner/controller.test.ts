import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigMap } from '../../api/kinds/core/config-map.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { Secret } from '../../api/kinds/core/secret.ts'
import { ServiceAccount } from '../../api/kinds/core/service-account.ts'
import { createWorld } from '../../control/simulate.ts'
import { legacyTokenCleaner } from './controller.ts'

const DAY = 24 * 3_600_000
const NOW = Date.UTC(2030, 0, 1)
const USED = 'kubernetes.io/legacy-token-last-used'
const INVALID = 'kubernetes.io/legacy-token-invalid-since'

interface Parts {
  readonly labels?: Record<string, string>
  readonly created?: string
  readonly since?: string
  readonly listed?: boolean
  readonly account?: string
  readonly pod?: boolean
}

/** What becomes of a token after one pass: its labels, or undefined when it is gone. */
function outcome({ labels = {}, created = '2020-01-01T00:00:00Z', since = '2021-01-01', ...rest }: Parts) {
  const { put, list, pass } = createWorld()
  const metadata = {
    namespace: 'shop',
    name: 'web-token',
    labels,
    creationTimestamp: created,
    annotations: {
      'kubernetes.io/service-account.name': 'web',
      'kubernetes.io/service-account.uid': rest.account ?? 'u1',
    },
  }
  put<Secret>(Secret, { metadata, type: 'kubernetes.io/service-account-token' })
  put<ServiceAccount>(ServiceAccount, {
    metadata: { namespace: 'shop', name: 'web', uid: 'u1' },
    secrets: rest.listed === false ? [] : [{ name: 'web-token' }],
  })
  put<ConfigMap>(ConfigMap, {
    metadata: { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' },
    data: { since },
  })
  if (rest.pod) {
    const volumes = [{ name: 'v', secret: { secretName: 'web-token' } }]
    put<Pod>(Pod, { metadata: { namespace: 'shop', name: 'p' }, spec: { containers: [], volumes } } as Pod)
  }
  const plan = pass(legacyTokenCleaner, 'shop/web-token', NOW)
  return { labels: list<Secret>(Secret)[0]?.metadata?.labels, requeue: plan.requeue }
}

const old = { [INVALID]: '2028-06-01' }
const cases: readonly [what: string, parts: Parts, labels: Record<string, string> | undefined][] = [
  ['marks one that was never used', {}, { [INVALID]: '2030-01-01' }],
  [
    'marks one that was last used long ago',
    { labels: { [USED]: '2028-12-31' } },
    { [USED]: '2028-12-31', [INVALID]: '2030-01-01' },
  ],
  ['marks anew where the mark is no day', { labels: { [INVALID]: 'soon' } }, { [INVALID]: '2030-01-01' }],
  ['deletes one that was marked long ago', { labels: old }, undefined],
  ['waits after the mark', { labels: { [INVALID]: '2029-01-01' } }, { [INVALID]: '2029-01-01' }],
  ['leaves one that is used', { labels: { ...old, [USED]: '2029-01-01' } }, { ...old, [USED]: '2029-01-01' }],
  ['leaves one whose use cannot be read', { labels: { ...old, [USED]: 'often' } }, { ...old, [USED]: 'often' }],
  ['leaves one that is young', { labels: old, created: '2029-06-01T00:00:00Z' }, old],
  ['leaves one that a pod mounts', { labels: old, pod: true }, old],
  ['leaves one that somebody made', { labels: old, listed: false }, old],
  ['leaves one of an earlier account of that name', { labels: old, account: 'u0' }, old],
  ['leaves all until use was noted for a year', { labels: old, since: '2029-01-01' }, old],
  ['leaves all where nobody knows since when use is noted', { labels: old, since: '' }, old],
]
for (const [what, parts, labels] of cases)
  test(`legacyTokenCleaner ${what}`, () => assert.deepEqual(outcome(parts).labels, labels))

test('legacyTokenCleaner looks again tomorrow at what may go one day, and never at what people made', () => {
  assert.deepEqual(outcome({ labels: { [USED]: '2029-12-31' } }).requeue, { type: 'after', ms: DAY })
  assert.equal(outcome({ listed: false }).requeue, undefined)
})
