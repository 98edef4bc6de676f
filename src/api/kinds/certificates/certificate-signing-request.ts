import type { CertificateSigningRequest as Type } from '../../generated/types/certificates-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** certificates/v1 CertificateSigningRequest. */
export type CertificateSigningRequest = Type

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
  columns: [nameColumn, ageColumn],
})
