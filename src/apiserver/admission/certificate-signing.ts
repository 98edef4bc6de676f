import type { CertificateSigningRequest } from '../../api/generated/types/certificates-v1.ts'
import { equalJson } from '../../lib/json.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { refuse } from './refusal.ts'
import { maySign } from './signer-rights.ts'

/** CertificateSigning: who writes a certificate into a request must be allowed to sign for its signer. */
export function certificateSigning(authorize: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    handles: ({ kind, subresource, operation }) =>
      kind.plural === 'certificatesigningrequests' && subresource === 'status' && operation === 'UPDATE',
    async validate(request) {
      const [next, old] = [request.object as CertificateSigningRequest, request.old as CertificateSigningRequest]
      const same = (key: 'certificate' | 'conditions') => equalJson(next.status?.[key], old.status?.[key])
      if (same('certificate') && same('conditions')) return
      const { signerName } = old.spec
      if (!(await maySign(authorize, request, 'sign', signerName)))
        throw refuse(request, `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`)
    },
  }
}
