import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../../src/api/kinds/apps/deployment.ts'
import { startCluster } from '../../src/cmd/testing.ts'
import { unrest } from '../../src/control/at-rest.ts'
import { controllers } from '../../src/controllers/all.ts'
import { rootCaController } from '../../src/controllers/root-ca/controller.ts'
import { deployment, inDefault, job, withImage } from './objects.ts'

test('controllers run on their own output write nothing', async () => {
  await using cluster = await startCluster({
    clock: 'virtual',
    nodes: 3,
    script: pod =>
      pod.metadata?.labels?.['job-name'] ? { exitMs: 10, exitCode: pod.metadata.name?.startsWith('bad') ? 1 : 0 } : {},
  })
  for (const name of ['web', 'api']) {
    await cluster.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ port: 80 }] },
    } as object)
  }
  await cluster.create(deployment('web'))
  await cluster.create(deployment('api', { strategy: { type: 'Recreate' }, minReadySeconds: 5, paused: true }))
  await cluster.create(deployment('broken', { strategy: { type: 'RollingUpdate' } }))
  await cluster.create(job('good', { completions: 3, parallelism: 2 }))
  await cluster.create(job('indexed', { completions: 3, parallelism: 3, completionMode: 'Indexed' }))
  await cluster.create(job('bad', { backoffLimit: 1 }))
  await cluster.create(job('waiting', { suspend: true }))
  await cluster.advance(1000)
  const deployments = cluster.objects<Deployment>('Deployment')
  await deployments.patch(inDefault('web'), withImage('v2'), { type: 'strategic' })
  await deployments.patch(inDefault('api'), withImage('v2'), { type: 'strategic' })
  cluster.stopNode('node-3')
  await cluster.advance(120_000)
  const authority = 'PEM'
  const left = await unrest(controllers, cluster)
  assert.deepEqual(left, [])
  // The check itself finds what is missing: nothing has published the authority here.
  assert.ok((await unrest([rootCaController(authority)], cluster)).length > 0)
})
