/** What the server does with certificate requests as they are written: says who asks, and reads what is asked. */
import { X509Certificate } from 'node:crypto'
import type { CertificateSigningRequest } from '../../api/kinds/certificates/certificate-signing-request.ts'
import { invalid as invalidField } from '../../api/machinery/field-error.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { pemBlocks } from '../../api/machinery/pem.ts'
import { invalid } from '../../api/machinery/status-error.ts'
import type { KindHooks } from '../registry/registry.ts'

const KIND = { group: 'certificates.k8s.io', kind: 'CertificateSigningRequest' }

const decoded = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString('latin1')

async function checkRequest({ metadata, spec }: CertificateSigningRequest): Promise<void> {
  const text = decoded(spec?.request)
  // What is no PEM at all is found by the kind's rules, with everything else that is wrong.
  if (pemBlocks(text)[0]?.label !== 'CERTIFICATE REQUEST') return
  const { readRequest } = await import('../../lib/pki/certificate-request.ts')
  try {
    await readRequest(text)
  } catch (error) {
    const fault = invalidField('spec.request', spec.request, (error as Error).message)
    throw invalid(KIND, metadata?.name ?? '', [fault])
  }
}

function checkCertificate({ metadata, status }: CertificateSigningRequest): void {
  const text = decoded(status?.certificate)
  if (pemBlocks(text).some(({ label }) => label !== 'CERTIFICATE')) return
  for (const pem of text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [])
    try {
      new X509Certificate(pem)
    } catch (error) {
      const fault = invalidField('status.certificate', '<certificate data>', (error as Error).message)
      throw invalid(KIND, metadata?.name ?? '', [fault])
    }
}

/** The hooks of the kind. */
export const certificateRequestHooks: KindHooks = {
  async beforeCreate(object: KubeObject, { user }) {
    const request = object as CertificateSigningRequest
    // A request without a spec is for the kind's rules to refuse.
    request.spec ??= {} as CertificateSigningRequest['spec']
    Object.assign(request.spec, {
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      ...(user.groups.length && { groups: [...user.groups] }),
      ...(user.extra && Object.keys(user.extra).length && { extra: structuredClone(user.extra) }),
    })
    await checkRequest(request)
  },
  beforeUpdate(object, old) {
    const [next, before] = [object as CertificateSigningRequest, old as CertificateSigningRequest]
    if (next.status?.certificate && next.status.certificate !== before.status?.certificate) checkCertificate(next)
  },
}
