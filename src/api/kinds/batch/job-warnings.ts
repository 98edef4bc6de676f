/** Warnings about jobs and what makes them (k8s.io/kubernetes `pkg/api/job/warnings.go`). */
import type { CronJob, Job, JobSpec } from '../../generated/types/batch-v1.ts'
import { hostnameWarnings, isChanged, podTemplateWarnings } from '../core/pod-warnings.ts'

const MANY_COMPLETIONS = 100_000
const MUCH_PARALLELISM = 10_000

function specWarnings(spec: JobSpec, path: string): string[] {
  const { completionMode, completions = 0, parallelism = 0, template } = spec
  const isLarge = completionMode === 'Indexed' && completions > MANY_COMPLETIONS && parallelism > MUCH_PARALLELISM
  const large = `${path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`
  return [...(isLarge ? [large] : []), ...podTemplateWarnings(template ?? {}, `${path}.template.`)]
}

const jobsWarnings =
  <T extends Job | CronJob>(specOf: (object: T) => JobSpec | undefined, path: string) =>
  (object: T, old: T | undefined): string[] => {
    const spec = specOf(object)
    return [
      ...(old ? [] : hostnameWarnings(object.metadata?.name, 'Pod names and hostnames')),
      ...(spec && isChanged(object, old) ? specWarnings(spec, path) : []),
    ]
  }

export const jobWarnings = jobsWarnings<Job>(({ spec }) => spec, 'spec')

const ofTemplate = jobsWarnings<CronJob>(({ spec }) => spec?.jobTemplate?.spec, 'spec.jobTemplate.spec')

export function cronJobWarnings(job: CronJob, old: CronJob | undefined): string[] {
  if (!old || !job.spec?.schedule?.includes('TZ')) return ofTemplate(job, old)
  const help = 'see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details'
  return [
    ...ofTemplate(job, old),
    // The path is upstream's.
    `cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, ${help}`,
  ]
}
