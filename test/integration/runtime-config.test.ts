/** A cluster without some versions of the API. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinds } from '../../src/api/kinds/all.ts'
import { servedKinds } from '../../src/apiserver/features/runtime-config.ts'
import { startCluster } from '../../src/cmd/testing.ts'
import { type Logger, silent } from '../../src/lib/log.ts'

const versions = [...new Set(kinds.map(each => each.apiVersion))]

function mayBeOff(version: string): boolean {
  try {
    servedKinds(kinds, { [version]: false })
    return true
  } catch {
    return false
  }
}

for (const version of versions.filter(mayBeOff))
  test(`a cluster without ${version} runs its pods, and says that it has no such thing`, async () => {
    const errors: string[] = []
    const logger: Logger = { ...silent, error: (_, text = '') => void errors.push(text), child: () => logger }
    await using cluster = await startCluster({
      clock: 'virtual',
      runtimeConfig: { [version]: false },
      logger,
    })
    await cluster.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    } as object)
    await cluster.until(async () => {
      const pod = (await cluster.objects('Pod').get({ namespace: 'default', name: 'a' })) as {
        status?: { phase?: string }
      }
      assert.equal(pod.status?.phase, 'Running')
    })
    const { status } = await cluster.transport({ method: 'GET', path: `/apis/${version}`, query: {} })
    assert.equal(status, 404)
    assert.deepEqual(errors, [])
  })

test('what is said of all beta versions is not meant of those that another server has in Kubernetes', () => {
  const served = (config: Record<string, boolean>) =>
    servedKinds(kinds, config).some(each => each.apiVersion === 'metrics.k8s.io/v1beta1')
  assert.ok(served({ 'api/beta': false }))
  assert.ok(!served({ 'metrics.k8s.io/v1beta1': false }))
})

test('at least the versions of applications can be turned off', () => {
  for (const version of ['apps/v1', 'batch/v1', 'autoscaling/v1', 'certificates.k8s.io/v1', 'resource.k8s.io/v1'])
    assert.ok(mayBeOff(version), version)
})
