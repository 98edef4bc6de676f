import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CronJob } from '../../src/api/kinds/batch/cron-job.ts'
import type { Job } from '../../src/api/kinds/batch/job.ts'
import { startCluster } from '../../src/cmd/testing.ts'
import { unrest } from '../../src/control/at-rest.ts'
import { controllers } from '../../src/controllers/all.ts'
import { inDefault } from './objects.ts'

test('a CronJob runs its jobs by the minute, keeps some, and rests when suspended', async () => {
  await using cluster = await startCluster({ clock: 'virtual', script: () => ({ exitMs: 1000 }) })
  await cluster.create({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'tick' },
    spec: {
      schedule: '*/1 * * * *',
      successfulJobsHistoryLimit: 2,
      jobTemplate: {
        spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'v1' }] } } },
      },
    },
  } as object)
  const minutes = 5
  await cluster.advance(minutes * 60_000 + 30_000)
  const { items } = await cluster.objects<Job>('Job').list({ namespace: 'default' })
  assert.equal(items.length, 2)
  assert.ok(items.every(job => job.status?.succeeded === 1))
  const cronJobs = cluster.objects<CronJob>('CronJob')
  const { status } = await cronJobs.get(inDefault('tick'))
  assert.equal(status?.active, undefined)
  assert.ok(Date.parse(status?.lastSuccessfulTime ?? '') > Date.parse(status?.lastScheduleTime ?? ''))
  await cronJobs.patch(inDefault('tick'), { spec: { suspend: true } }, { type: 'merge' })
  await cluster.settle()
  assert.deepEqual(await unrest(controllers, cluster), [])
})
