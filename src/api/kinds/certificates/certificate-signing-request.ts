import type {
  CertificateSigningRequestCondition as Condition,
  CertificateSigningRequest as Type,
} from '../../generated/types/certificates-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { humanDuration, rfc3339 } from '../../machinery/time.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { certificateSigningRequestRules } from './certificate-signing-request.validate.ts'

/** certificates/v1 CertificateSigningRequest. */
export type CertificateSigningRequest = Type

/** `Approved,Issued`, `Denied`, `Pending`, … */
function condition({ status }: CertificateSigningRequest): string {
  const has = (type: string) => status?.conditions?.some(one => one.type === type)
  const words = [has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending']
  if (has('Failed')) words.push('Failed')
  if (status?.certificate) words.push('Issued')
  return words.join(',')
}

const conditionsOf = ({ status }: CertificateSigningRequest) => status?.conditions ?? []

/** Dates a condition where its writer did not. */
function stamp(condition: Condition, old: CertificateSigningRequest, now: number) {
  condition.lastUpdateTime ??= rfc3339(now)
  const same = conditionsOf(old).find(({ type, status }) => type === condition.type && status === condition.status)
  condition.lastTransitionTime ??= same?.lastTransitionTime ?? rfc3339(now)
}

/** Conditions of which those that are decisions stay as they were, where there are as many as before. */
function withDecisions(conditions: Condition[], old: CertificateSigningRequest): Condition[] {
  const kept = new Map<string, Condition[]>()
  for (const type of ['Approved', 'Denied']) {
    const before = conditionsOf(old).filter(one => one.type === type)
    if (conditions.filter(one => one.type === type).length === before.length) kept.set(type, [...before])
  }
  return conditions.map(one => kept.get(one.type)?.shift() ?? one)
}

export const CertificateSigningRequest = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  singular: 'certificatesigningrequest',
  shortNames: ['csr'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.certificates.v1.CertificateSigningRequest',
  status: true,
  subresources: [{ name: 'approval', verbs: ['get', 'patch', 'update'] }],
  nameFormat: 'path',
  selectable: { 'spec.signerName': ({ spec }) => spec?.signerName ?? '' },
  prepareCreate(request) {
    const { spec } = request
    request.status = {}
    // Who asks is for the server to say.
    for (const field of ['username', 'uid', 'groups', 'extra'] as const) delete spec?.[field]
  },
  // A request does not change once it is made: its subresources write the conditions and the certificate.
  prepareUpdate(request, old, { subresource, now }) {
    request.spec = old.spec
    const { status } = request
    if (!subresource || !status) return
    for (const condition of status.conditions ?? []) stamp(condition, old, now)
    if (subresource === 'approval') {
      const { conditions } = status
      request.status = { ...old.status, ...(conditions && { conditions }) }
      if (!conditions) delete request.status.conditions
    } else if (status.conditions) status.conditions = withDecisions(status.conditions, old)
  },
  rules: certificateSigningRequestRules,
  columns: [
    nameColumn,
    ageColumn,
    text('SignerName', ({ spec }) => spec?.signerName || '<none>'),
    text('Requestor', ({ spec }) => spec?.username ?? ''),
    text('RequestedDuration', ({ spec }) =>
      spec?.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
    ),
    text('Condition', condition),
  ],
})
