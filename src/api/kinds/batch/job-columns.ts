/** The columns of `kubectl get jobs`. */
import type { Job } from '../../generated/types/batch-v1.ts'
import type { Column } from '../../machinery/kind.ts'
import { humanDuration, parseTime } from '../../machinery/time.ts'
import { ageColumn, formatSelector, nameColumn, text, wide } from '../columns.ts'
import { containerNames, images } from '../workload-columns.ts'

function status({ metadata, status }: Job): string {
  const has = (type: string) => status?.conditions?.find(condition => condition.type === type)?.status === 'True'
  if (has('Complete')) return 'Complete'
  if (has('Failed')) return 'Failed'
  if (metadata?.deletionTimestamp) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running'
}

function completions({ spec, status }: Job): string {
  const done = status?.succeeded ?? 0
  if (spec?.completions !== undefined) return `${done}/${spec.completions}`
  const parallelism = spec?.parallelism ?? 0
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`
}

function duration({ status }: Job, now: number): string {
  const start = parseTime(status?.startTime)
  return start === undefined ? '' : humanDuration((parseTime(status?.completionTime) ?? now) - start)
}

export const jobColumns: readonly Column<Job>[] = [
  nameColumn,
  text('Status', status),
  text('Completions', completions),
  text('Duration', duration),
  ageColumn,
  wide('Containers', ({ spec }) => containerNames(spec?.template)),
  wide('Images', ({ spec }) => images(spec?.template)),
  wide('Selector', ({ spec }) => formatSelector(spec?.selector)),
]
