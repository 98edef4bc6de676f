import type { CertificateSigningRequest } from '../../api/generated/types/certificates-v1.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { refuse } from './refusal.ts'
import { maySign } from './signer-rights.ts'

/** CertificateApproval: who approves a request must be allowed to approve for its signer. */
export function certificateApproval(authorize: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    handles: ({ kind, subresource, operation }) =>
      kind.plural === 'certificatesigningrequests' && subresource === 'approval' && operation === 'UPDATE',
    async validate(request) {
      const { signerName } = (request.old as CertificateSigningRequest).spec
      if (!(await maySign(authorize, request, 'approve', signerName)))
        throw refuse(request, `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`)
    },
  }
}
