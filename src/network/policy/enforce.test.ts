import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkPolicy } from '../../api/generated/types/networking-v1.ts'
import type { Informers } from '../../client/informers.ts'
import { silent } from '../../lib/log.ts'
import { settled, virtualClock } from '../../lib/virtual-clock.ts'
import type { PodNetwork } from '../pod-network/pod-network.ts'
import { fixedInformer } from '../testing/fixed-informer.ts'
import { enforcePolicies } from './enforce.ts'
import type { Policies } from './start.ts'

const POLICY: NetworkPolicy = { metadata: { namespace: 'default', name: 'p' }, spec: { podSelector: {} } }
const POD = { namespace: 'default', name: 'web', uid: 'u1', hostname: 'web', ports: [] }
const network: PodNetwork = {
  setup: async () => ({ ips: ['10.244.0.5'] }),
  teardown: async () => {},
  dns: { servers: [], clusterDomain: 'cluster.local' },
  list: async () => [],
}

/** Enforcement whose start fails as often as is said, with notes of what was asked of it. */
async function enforce(policies: readonly NetworkPolicy[], failures: number) {
  const clock = virtualClock()
  const informer = fixedInformer(policies)
  const seen: string[] = []
  const started: Policies = {
    async protect({ uid }) {
      seen.push(`protect ${uid}`)
    },
    release: uid => void seen.push(`release ${uid}`),
    idle: async () => {},
  }
  let left = failures
  const deps = {
    clock,
    logger: silent,
    clear: async () => void seen.push('clear'),
    async start() {
      seen.push('start')
      if (left-- > 0) throw new Error('no nft')
      return started
    },
  }
  const signal = new AbortController().signal
  const enforcement = await enforcePolicies({ of: () => informer } as unknown as Informers, deps, signal)
  return { clock, informer, seen, held: enforcement.protect(network) }
}

test('enforcePolicies leaves pods alone until there is a policy', async () => {
  const { seen, held, informer } = await enforce([], 0)
  assert.deepEqual(await held.setup(POD), { ips: ['10.244.0.5'] })
  informer.put(POLICY)
  await held.setup(POD)
  assert.deepEqual(seen, ['clear', 'start', 'protect u1'])
})

test('enforcePolicies tries again where it cannot start, and pods wait for that', async () => {
  const { clock, seen, held } = await enforce([POLICY], 2)
  let isUp = false
  const setup = held.setup(POD).then(() => (isUp = true))
  await settled()
  assert.deepEqual([seen, isUp], [['start'], false])
  await clock.advance(1000)
  await settled()
  assert.deepEqual([seen, isUp], [['start', 'start'], false])
  await clock.advance(2000)
  await setup
  assert.deepEqual(seen, ['start', 'start', 'start', 'protect u1'])
})

test('enforcePolicies forgets a pod that ends while it waits', async () => {
  const { clock, seen, held } = await enforce([POLICY], 1)
  const setup = held.setup(POD)
  await settled()
  await held.teardown(POD.uid)
  await clock.advance(1000)
  await setup
  await settled()
  assert.deepEqual(seen, ['start', 'start', 'protect u1', 'release u1'])
})
