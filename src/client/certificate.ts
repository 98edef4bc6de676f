/** Certificates by request (certificates.k8s.io): a key is made here, and stays here. */

import type { CertificateSigningRequest } from '../api/kinds/certificates/certificate-signing-request.ts'
import { CertificateSigningRequest as Kind } from '../api/kinds/certificates/certificate-signing-request.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import type { KeyPair } from '../lib/pki/certificate.ts'
import type { RequestSubject } from '../lib/pki/certificate-request.ts'
import type { Client } from './client.ts'

export interface WantedCertificate extends RequestSubject {
  readonly signerName: string
  /** Besides `digital signature`. */
  readonly usage: 'client auth' | 'server auth'
}

/** A request that was answered with no: the message says why. */
export class CertificateDenied extends Error {}

/** Between two looks at a request that waits, ms: few wait, and not for long. */
const LOOK_MS = 250

/**
 * Asks for a certificate and waits for it, at most `withinMs`. Rejects with `CertificateDenied`, or with an Error that
 * names the request where nobody has answered it.
 */
export async function requestCertificate(
  client: Client,
  wanted: WantedCertificate,
  { clock, withinMs, signal }: { readonly clock: Clock; readonly withinMs: number; readonly signal: AbortSignal },
): Promise<KeyPair> {
  const { createRequest } = await import('../lib/pki/certificate-request.ts')
  const { request, key } = await createRequest(wanted)
  const requests = client.kind<CertificateSigningRequest>(Kind)
  const made = await requests.create({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { generateName: 'node-csr-' },
    spec: {
      request: Buffer.from(request).toString('base64'),
      signerName: wanted.signerName,
      usages: ['digital signature', wanted.usage],
    },
  } as CertificateSigningRequest)
  const name = made.metadata?.name ?? ''
  const end = clock.now() + withinMs
  for (;;) {
    const { status } = await requests.get({ name })
    if (status?.certificate) return { certificate: Buffer.from(status.certificate, 'base64').toString(), key }
    const refusal = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed')
    if (refusal) throw new CertificateDenied(refusal.message || `the certificate request ${name} was denied`)
    if (clock.now() > end || signal.aborted)
      throw new Error(`the certificate request ${name} was not answered within ${Math.round(withinMs / 1000)} s`)
    await sleep(clock, LOOK_MS, signal)
  }
}
