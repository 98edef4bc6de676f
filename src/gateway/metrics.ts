/** Requests through the gateway in numbers, by who routed them. */
import { counter, type Family, histogram } from '../lib/metrics.ts'
import type { Owner } from './routing/route.ts'

export interface GatewayMetrics {
  readonly families: readonly Family[]
  /** A request was answered, after `ms`; 499: its client broke off before. */
  answered(owner: Owner | undefined, method: string, status: number, ms: number): void
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** Strangers may send any word: others are counted as one. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'])

/** Makes the counters, all zero. */
export function gatewayMetrics(): GatewayMetrics {
  const requests = counter('tutti_ingress_requests_total', 'Requests of clients by Ingress, method and status.', [
    'namespace',
    'ingress',
    'method',
    'code',
  ])
  const durations = histogram(
    'tutti_ingress_request_duration_seconds',
    'Time from the head of a request to the end of its answer.',
    ['namespace', 'ingress'],
    SECONDS,
  )
  return {
    families: [requests, durations],
    answered(owner, method, status, ms) {
      const { namespace = '', name = '' } = owner ?? {}
      requests.at(namespace, name, METHODS.has(method) ? method : 'other', String(status)).value++
      durations.at(namespace, name).observe(ms / 1000)
    },
  }
}
