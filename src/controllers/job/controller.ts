/** Runs the pods of a Job until enough of them have succeeded. */
import { Job } from '../../api/kinds/batch/job.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import { keyOf } from '../../client/informer-types.ts'
import { defineController, read, watch } from '../../control/controller.ts'
import { controllerOf, uncontrolled } from '../owner.ts'
import { podsByJob } from './pods.ts'
import { absent, reconcile } from './reconcile.ts'

export const jobController = defineController<Job>({
  name: 'job-controller',
  queue: 'job',
  for: Job,
  owns: [Pod],
  watches: [
    watch(Pod, ({ current }, view) => {
      if (!current?.metadata?.labels || controllerOf(current) || current.metadata.deletionTimestamp) return []
      return view
        .of(Job)
        .list(current.metadata.namespace)
        .filter(each => selectorFromLabelSelector(each.spec?.selector).matches(current.metadata?.labels))
        .map(keyOf)
    }),
  ],
  reads: [read(Pod, { uncontrolled, job: podsByJob })],
  reconcile,
  absent,
})
