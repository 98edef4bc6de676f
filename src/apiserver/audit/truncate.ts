/** Audit events of a bounded size: what is larger goes without its bodies, or not at all. */
import type { Logger } from '../../lib/log.ts'
import type { AuditBackend } from './audit.ts'

/** As the `--audit-…-truncate-…` flags of kube-apiserver. */
export interface TruncateOptions {
  /** Bytes of one event. Default 102,400. */
  readonly maxEventSize?: number
}

const MAX_EVENT_SIZE = 100 * 1024

/** Tells readers that bodies were left out. */
const MARK = { 'audit.k8s.io/truncated': 'true' }

interface Event {
  readonly level: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly requestObject?: unknown
  readonly responseObject?: unknown
}

const hasBodies = ({ level }: Event) => level === 'Request' || level === 'RequestResponse'

/** An event without its bodies. */
function without(event: Event): string {
  const { requestObject: _request, responseObject: _response, ...rest } = event
  return JSON.stringify({ ...rest, annotations: { ...event.annotations, ...MARK } })
}

/** Puts the bound before a backend. */
export function truncating(backend: AuditBackend, options: TruncateOptions, logger: Logger): AuditBackend {
  const { maxEventSize = MAX_EVENT_SIZE } = options
  const isLarge = (line: string) => line.length > maxEventSize || Buffer.byteLength(line) > maxEventSize
  return {
    take(line) {
      if (!isLarge(line)) return backend.take(line)
      const event = JSON.parse(line) as Event
      const short = hasBodies(event) ? without(event) : line
      if (isLarge(short)) logger.error({ maxEventSize }, 'an audit event is too large even after truncating')
      else backend.take(short)
    },
    close: backend.close,
  }
}
