/** Whether a user may act for a signer: by its full name, or for all of its domain (`example.com/*`). */
import type { Authorizer } from '../authorization/authorizer.ts'
import type { AdmissionAttributes } from './plugin.ts'

export async function maySign(
  authorize: Authorizer,
  { user }: AdmissionAttributes,
  verb: 'approve' | 'sign' | 'attest',
  signer: string,
): Promise<boolean> {
  const about = (name: string) => ({
    user,
    verb,
    isResource: true,
    group: 'certificates.k8s.io',
    version: '*',
    namespace: '',
    resource: 'signers',
    subresource: '',
    name,
    path: '',
  })
  if ((await authorize(about(signer))).allowed) return true
  const domain = signer.split('/', 1)[0]!
  return (await authorize(about(`${domain}/*`))).allowed
}
