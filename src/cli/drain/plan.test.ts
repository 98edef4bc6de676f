import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { type DrainOptions, planDrain } from './plan.ts'

const owned = (kind: string, name: string) => [{ apiVersion: 'apps/v1', kind, name, uid: 'u', controller: true }]
const pod = (name: string, more: { metadata?: object; spec?: object; status?: object } = {}): Pod => ({
  metadata: { namespace: 'shop', name, ownerReferences: owned('ReplicaSet', 'web'), ...more.metadata },
  spec: { containers: [], ...more.spec },
  status: { phase: 'Running', ...more.status },
})
const alone = { metadata: { ownerReferences: [] } }
const scratch = { spec: { volumes: [{ name: 'tmp', emptyDir: {} }] } }
const ofSet = (name: string) => ({ metadata: { ownerReferences: owned('DaemonSet', name) } })

const STRICT: DrainOptions = { ignoreDaemonSets: false, deleteEmptyDirData: false, force: false }
const LAX: DrainOptions = { ignoreDaemonSets: true, deleteEmptyDirData: true, force: true }

const cases: readonly [what: string, pod: Pod, evicted: boolean, obstacle?: RegExp][] = [
  ['of a ReplicaSet', pod('a'), true],
  ['that nobody owns', pod('a', alone), true, /declare no controller \(use --force to override\): shop\/a$/],
  ['with an emptyDir', pod('a', scratch), true, /local storage \(use --delete-emptydir-data to override\): shop\/a$/],
  ['of a DaemonSet', pod('a', ofSet('log')), false, /DaemonSet-managed Pods \(use --ignore-daemonsets to ignore\)/],
  ['of a DaemonSet that is gone', pod('a', ofSet('old')), true, /declare no controller/],
  ['of the node itself', pod('a', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }), false],
  ['that has ended', pod('a', { ...alone, ...scratch, status: { phase: 'Succeeded' } }), true],
]
for (const [what, each, evicted, obstacle] of cases)
  test(`planDrain of a pod ${what}`, () => {
    const strict = planDrain([each], new Set(['shop/log']), STRICT)
    const lax = planDrain([each], new Set(['shop/log']), LAX)
    assert.equal(lax.evict.length, evicted ? 1 : 0)
    assert.deepEqual(lax.obstacles, [])
    assert.equal(lax.warnings.length, obstacle ? 1 : 0)
    assert.equal(strict.obstacles.length, obstacle ? 1 : 0)
    if (obstacle) assert.match(strict.obstacles[0]!, obstacle)
  })
