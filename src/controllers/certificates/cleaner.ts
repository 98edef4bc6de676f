/** Deletes certificate requests that nobody needs any more: what they led to is long known, or nobody answered. */
import { CertificateSigningRequest } from '../../api/kinds/certificates/certificate-signing-request.ts'
import { parseTime } from '../../api/machinery/time.ts'
import { defineController } from '../../control/controller.ts'
import { after, type Plan } from '../../control/plan.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** When a request is to go, ms since the epoch; undefined for never. */
export function deadline({ metadata, status }: CertificateSigningRequest): number | undefined {
  const conditions = status?.conditions ?? []
  if (!conditions.length) return later(metadata?.creationTimestamp, DAY)
  const ends = conditions.flatMap(({ type, lastUpdateTime }) => {
    if (type === 'Approved') return later(lastUpdateTime, status?.certificate ? HOUR : DAY) ?? []
    return type === 'Denied' || type === 'Failed' ? (later(lastUpdateTime, HOUR) ?? []) : []
  })
  return ends.length ? Math.min(...ends) : undefined
}

function later(text: string | undefined, ms: number): number | undefined {
  const time = parseTime(text)
  return time === undefined ? undefined : time + ms
}

export const certificateCleaner = defineController<CertificateSigningRequest>({
  name: 'certificatesigningrequest-cleaner-controller',
  for: CertificateSigningRequest,
  reconcile(request, _view, now): Plan {
    const due = deadline(request)
    if (due === undefined || request.metadata?.deletionTimestamp) return {}
    if (due >= now) return { requeue: after(due - now + 1) }
    return { writes: [{ type: 'delete', resource: CertificateSigningRequest, object: request }] }
  },
})
