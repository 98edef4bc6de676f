import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import type { Volume } from '../../api/generated/types/core-v1.ts'
import { realClock } from '../../lib/clock.ts'
import { diskOf } from '../node/usage.ts'
import { usageOfClaims } from './claims.ts'

const worker = (volumes: Volume[], paths: Record<string, string>) => ({
  pod: () => ({ metadata: { name: 'web-0', namespace: 'shop' }, spec: { containers: [], volumes } }),
  volumePath: (name: string) => paths[name],
})

test('usageOfClaims tells of mounted claims alone', async () => {
  const volumes: Volume[] = [
    { name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } },
    { name: 'own', ephemeral: {} },
    { name: 'late', persistentVolumeClaim: { claimName: 'late' } },
    { name: 'gone', persistentVolumeClaim: { claimName: 'gone' } },
    { name: 'scratch', emptyDir: {} },
  ]
  const paths = { data: tmpdir(), own: tmpdir(), gone: '/no/such/folder', scratch: tmpdir() }
  const found = await usageOfClaims(worker(volumes, paths), realClock)
  assert.deepEqual(
    found.map(({ volume, claim, namespace }) => [volume, claim, namespace]),
    [
      ['data', 'data-web-0', 'shop'],
      ['own', 'web-0-own', 'shop'],
    ],
  )
  assert.equal(found[0]?.disk.capacityBytes, diskOf(tmpdir())?.capacityBytes)
})
