/** Starts the jobs of CronJobs at their times; one timer for the next time of each. */
import { CronJob } from '../../api/kinds/batch/cron-job.ts'
import { Job } from '../../api/kinds/batch/job.ts'
import { defineController } from '../../control/controller.ts'
import { reconcile } from './reconcile.ts'

export const cronJobController = defineController<CronJob>({
  name: 'cronjob-controller',
  queue: 'cronjob',
  for: CronJob,
  owns: [Job],
  reconcile,
})
