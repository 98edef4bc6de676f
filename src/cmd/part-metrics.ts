/** The cluster's own parts in numbers: the queues of controllers, and what the parts ask of the API server. */
import type { Transport } from '../client/transport.ts'
import type { ControllerMetrics } from '../control/run-controller.ts'
import type { Clock } from '../lib/clock.ts'
import { counter, exponential, type Family, gauge, histogram } from '../lib/metrics.ts'

export interface PartMetrics {
  readonly families: readonly Family[]
  readonly controllers: ControllerMetrics
  /** The transport, with its requests counted and timed. */
  metered(transport: Transport): Transport
}

const QUEUE_SECONDS = exponential(1e-8, 10, 12)
const REQUEST_SECONDS = [0.005, 0.1, 0.5, 1, 2, 4, 8, 15, 30, 60]
/** Parts in this process ask without a network. */
const HOST = 'in-process'

/** Makes the counters, all zero. */
export function partMetrics(clock: Clock): PartMetrics {
  const adds = counter('workqueue_adds_total', 'Keys that were added to a queue.', ['name'])
  const depth = gauge('workqueue_depth', 'Keys that wait in a queue.', ['name'])
  const retries = counter('workqueue_retries_total', 'Keys that were tried again after a failure.', ['name'])
  const work = histogram('workqueue_work_duration_seconds', 'Time of work on a key.', ['name'], QUEUE_SECONDS)
  const requests = counter('rest_client_requests_total', 'Requests of clients by status, method and host.', [
    'code',
    'method',
    'host',
  ])
  const durations = histogram(
    'rest_client_request_duration_seconds',
    'Time from a request of a client to its answer.',
    ['verb', 'host'],
    REQUEST_SECONDS,
  )
  return {
    families: [adds, depth, retries, work, requests, durations],
    controllers: {
      added(name) {
        adds.at(name).value++
      },
      depth(name, keys) {
        depth.at(name).value = keys
      },
      reconciled(name, ms, result) {
        work.at(name).observe(ms / 1000)
        if (result === 'failed') retries.at(name).value++
      },
    },
    metered: transport => async request => {
      const start = clock.elapsed()
      const { method } = request
      try {
        const answer = await transport(request)
        requests.at(String(answer.status), method, HOST).value++
        return answer
      } catch (error) {
        requests.at('<error>', method, HOST).value++
        throw error
      } finally {
        durations.at(method, HOST).observe((clock.elapsed() - start) / 1000)
      }
    },
  }
}
