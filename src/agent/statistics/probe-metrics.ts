/** `/metrics/probes`: how the probes of containers went, as the kubelet tells it. */
import type { PodWorker } from '../pod/worker.ts'
import { family, type Sample } from './text.ts'

const TYPES = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' } as const
const RESULTS = ['successful', 'failed'] as const

/** Of the pods that are here. */
export function probeMetrics(workers: Iterable<Pick<PodWorker, 'pod' | 'probed'>>): string {
  const samples = [...workers].flatMap(worker => {
    const { namespace = '', name = '', uid = '' } = worker.pod().metadata ?? {}
    const of = { pod: name, namespace, pod_uid: uid }
    return worker
      .probed()
      .flatMap(([container, counts]) =>
        (Object.keys(TYPES) as (keyof typeof TYPES)[]).flatMap(type =>
          RESULTS.filter(result => counts[type][result] > 0).map(
            (result): Sample => [{ probe_type: TYPES[type], result, container, ...of }, counts[type][result]],
          ),
        ),
      )
  })
  return family('prober_probe_total', 'counter', 'Probes of a container, by their result.', samples)
}
