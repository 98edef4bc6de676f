import type { CertificateSigningRequest as Type } from '../../generated/types/certificates-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { humanDuration } from '../../machinery/time.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'

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
  // A request does not change once it is made: its subresources write the conditions and the certificate.
  prepareUpdate(request, old, { subresource }) {
    request.spec = old.spec
    const conditions = request.status?.conditions ?? []
    const decided = ({ type }: { type: string }) => type === 'Approved' || type === 'Denied'
    if (subresource === 'approval') request.status = { ...old.status, conditions }
    else if (subresource === 'status') {
      const others = conditions.filter(one => !decided(one))
      const kept = [...(old.status?.conditions ?? []).filter(decided), ...others]
      if (kept.length) request.status = { ...request.status, conditions: kept }
    }
  },
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
