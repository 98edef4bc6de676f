import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CronJob } from '../../api/kinds/batch/cron-job.ts'
import { Job } from '../../api/kinds/batch/job.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { createWorld } from '../../control/simulate.ts'
import { cronJobController } from './controller.ts'

const BEGIN = Date.parse('2026-01-01T00:00:00Z')
const KEY = 'default/tick'
const MINUTE = 60_000

function world(spec: Partial<NonNullable<CronJob['spec']>> = {}) {
  const made = createWorld()
  made.put<CronJob>(CronJob, {
    metadata: { name: 'tick', uid: 'u', creationTimestamp: rfc3339(BEGIN) },
    spec: {
      schedule: '*/1 * * * *',
      concurrencyPolicy: 'Allow',
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 1,
      jobTemplate: { metadata: { labels: { app: 'tick' } }, spec: { template: {} } },
      ...spec,
    },
  })
  const jobs = () => made.list<Job>(Job).filter(job => !job.metadata?.deletionTimestamp)
  const end = (job: Job, type: 'Complete' | 'Failed', at: number) =>
    made.put<Job>(Job, {
      ...job,
      status: { conditions: [{ type, status: 'True' }], startTime: rfc3339(at), completionTime: rfc3339(at) },
    })
  const status = () => made.list<CronJob>(CronJob)[0]?.status
  const reasons = () => made.notes.map(each => each.reason)
  return { ...made, jobs, end, status, reasons, at: (ms: number) => made.settle(cronJobController, KEY, BEGIN + ms) }
}

test('CronJob starts nothing before its time, and asks to be woken then', () => {
  const { at, jobs } = world()
  assert.deepEqual(at(20_000).requeue, { type: 'after', ms: 40_100 })
  assert.deepEqual(jobs(), [])
})

test('CronJob starts one job at its time, named for it, and takes note of it', () => {
  const { at, jobs, status } = world({ timeZone: 'Europe/Berlin' })
  assert.deepEqual(at(MINUTE + 100).requeue, { type: 'after', ms: MINUTE })
  const [job] = jobs()
  assert.equal(job?.metadata?.name, `tick-${(BEGIN + MINUTE) / MINUTE}`)
  assert.deepEqual(job?.metadata?.annotations, {
    'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T01:01:00+01:00',
  })
  assert.equal(status()?.lastScheduleTime, '2026-01-01T00:01:00Z')
  assert.deepEqual(
    status()?.active?.map(each => each.uid),
    [job?.metadata?.uid],
  )
  at(MINUTE + 200)
  assert.equal(jobs().length, 1)
})

test('CronJob notes what was completed, and when last with success', () => {
  const { at, jobs, end, status, reasons } = world()
  at(MINUTE)
  end(jobs()[0]!, 'Complete', BEGIN + MINUTE + 5000)
  at(MINUTE + 6000)
  assert.deepEqual(status(), {
    lastScheduleTime: '2026-01-01T00:01:00Z',
    lastSuccessfulTime: '2026-01-01T00:01:05Z',
  })
  assert.deepEqual(reasons(), ['SuccessfulCreate', 'SawCompletedJob'])
})

test('CronJob that forbids concurrency waits for the job that runs, then starts the missed one', () => {
  const { at, jobs, end, reasons } = world({ concurrencyPolicy: 'Forbid' })
  at(MINUTE)
  at(2 * MINUTE)
  assert.equal(jobs().length, 1)
  assert.ok(reasons().includes('JobAlreadyActive'))
  end(jobs()[0]!, 'Failed', BEGIN + 2 * MINUTE)
  at(2 * MINUTE + 1000)
  assert.equal(jobs().length, 2)
})

test('CronJob that replaces deletes the job that runs', () => {
  const { at, jobs } = world({ concurrencyPolicy: 'Replace' })
  at(MINUTE)
  const [first] = jobs()
  at(2 * MINUTE)
  assert.equal(jobs().length, 1)
  assert.notEqual(jobs()[0]?.metadata?.uid, first?.metadata?.uid)
})

test('CronJob keeps as many old jobs as its limits say, the youngest', () => {
  const { at, jobs, end } = world()
  for (const minute of [1, 2, 3]) {
    at(minute * MINUTE)
    for (const job of jobs()) if (!job.status) end(job, minute === 2 ? 'Failed' : 'Complete', BEGIN + minute * MINUTE)
  }
  at(3 * MINUTE + 1000)
  assert.deepEqual(
    jobs().map(job => Number(job.metadata?.name?.slice(5)) - BEGIN / MINUTE),
    [2, 3],
  )
})

test('CronJob that is suspended starts nothing and sets no timer', () => {
  const { at, jobs } = world({ suspend: true })
  assert.equal(at(10 * MINUTE).requeue, undefined)
  assert.deepEqual(jobs(), [])
})

test('CronJob that was away starts only the last missed job, and warns when there were many', () => {
  const { at, jobs, reasons } = world()
  at(300 * MINUTE)
  assert.deepEqual(
    jobs().map(job => job.metadata?.name),
    [`tick-${BEGIN / MINUTE + 300}`],
  )
  assert.ok(reasons().includes('TooManyMissedTimes'))
})

test('CronJob past its starting deadline starts nothing', () => {
  const { at, jobs } = world({ schedule: '0 * * * *', startingDeadlineSeconds: 10 })
  at(60 * MINUTE + 30_000)
  assert.deepEqual(jobs(), [])
})

test('CronJob forgets a job that went missing', () => {
  const { at, jobs, remove, status, reasons } = world()
  at(MINUTE)
  remove(Job, `default/${jobs()[0]?.metadata?.name}`)
  at(MINUTE + 1000)
  assert.equal(status()?.active, undefined)
  assert.ok(reasons().includes('MissingJob'))
})

for (const [spec, reason] of [
  [{ schedule: 'soon' }, 'UnparseableSchedule'],
  [{ timeZone: 'Moon/Crater' }, 'UnknownTimeZone'],
  [{ schedule: '0 0 31 2 *' }, 'InvalidSchedule'],
] as const) {
  test(`CronJob tells ${reason} and waits for a better spec`, () => {
    const { at, reasons } = world(spec)
    assert.equal(at(MINUTE).requeue, undefined)
    assert.deepEqual(reasons(), [reason])
  })
}
