/** Deletes finished Jobs when their ttlSecondsAfterFinished has passed. */
import { Job } from '../../api/kinds/batch/job.ts'
import { parseTime } from '../../api/machinery/time.ts'
import { defineController } from '../../control/controller.ts'
import { after, type Plan } from '../../control/plan.ts'

export const ttlAfterFinishedController = defineController<Job>({
  name: 'ttl-after-finished-controller',
  queue: 'ttl_jobs_to_delete',
  for: Job,
  reconcile(job, _view, now): Plan {
    const seconds = job.spec?.ttlSecondsAfterFinished
    if (seconds === undefined || job.metadata?.deletionTimestamp) return {}
    const last = job.status?.conditions?.find(
      each => (each.type === 'Complete' || each.type === 'Failed') && each.status === 'True',
    )
    const finished = parseTime(last?.lastTransitionTime)
    if (finished === undefined) return {}
    const due = finished + seconds * 1000
    if (due > now) return { requeue: after(due - now) }
    const options = { propagationPolicy: 'Foreground' as const }
    return { writes: [{ type: 'delete', resource: Job, object: job, options }] }
  },
})
