import type { CertificateSigningRequest } from '../../api/generated/types/certificates-v1.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { refuse } from './refusal.ts'

const SIGNER = 'kubernetes.io/kube-apiserver-client'

/** CertificateSubjectRestriction: nobody asks for a certificate that would make him a master. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  handles: ({ kind, subresource, operation }) =>
    kind.plural === 'certificatesigningrequests' && subresource === '' && operation === 'CREATE',
  async validate(request) {
    const { signerName, request: encoded } = (request.object as CertificateSigningRequest).spec
    if (signerName !== SIGNER) return
    const { readRequest } = await import('../../lib/pki/certificate-request.ts')
    let organizations: readonly string[]
    try {
      const read = await readRequest(Buffer.from(encoded, 'base64').toString('latin1'))
      organizations = read.organizations
    } catch (error) {
      throw refuse(request, `failed to parse CSR: ${(error as Error).message}`)
    }
    if (organizations.includes('system:masters'))
      throw refuse(request, `use of ${SIGNER} signer with system:masters group is not allowed`)
  },
}
