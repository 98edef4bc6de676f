/** Signs approved certificate requests of Kubernetes' own signers with the cluster's authority. */
import type { CertificateSigningRequest } from '../../api/kinds/certificates/certificate-signing-request.ts'
import { CertificateSigningRequest as Kind } from '../../api/kinds/certificates/certificate-signing-request.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import type { Component } from '../../control/lifetime.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import { eachRequest, hasCondition, type RequestDeps, requestText } from './each-request.ts'
import {
  API_CLIENT,
  apiClientFault,
  clientFault,
  KUBELET_CLIENT,
  KUBELET_SERVING,
  LEGACY_UNKNOWN,
  servingFault,
} from './node-request.ts'

export interface SignerDeps extends RequestDeps {
  /** The cluster's certificate authority. Read only when there is something to sign. */
  authority(): Promise<KeyPair>
}

const FAULTS = new Map([
  [KUBELET_CLIENT, clientFault],
  [KUBELET_SERVING, servingFault],
  [API_CLIENT, apiClientFault],
  [LEGACY_UNKNOWN, () => undefined],
])

const MINUTE = 60_000
const LIFETIME = 365 * 24 * 60 * MINUTE
/** Shorter than this is short-lived: the end is not moved back with the beginning. */
const SHORT = 8 * 60 * MINUTE
const SHORTEST = 10 * MINUTE
/** Clocks of others may be behind by this much. */
const BACKDATE = 5 * MINUTE

/** From when to when a certificate is good that is made `now`, ms since the epoch. `end` is that of its authority. */
export function validity(now: number, expirationSeconds: number | undefined, end: number) {
  const wanted = expirationSeconds === undefined ? LIFETIME : expirationSeconds * 1000
  const lifetime = Math.min(Math.max(wanted, SHORTEST), LIFETIME)
  const notAfter = Math.min(lifetime < SHORT ? now + lifetime : now + lifetime - BACKDATE, end)
  if (now >= end) throw new Error(`the cluster's authority has expired: ${new Date(end).toISOString()}`)
  return { notBefore: now - BACKDATE, notAfter }
}

async function handle({ client, clock, authority }: SignerDeps, request: CertificateSigningRequest): Promise<void> {
  const { spec, status } = request
  const fault = FAULTS.get(spec.signerName)
  if (!fault || status?.certificate) return
  if (!hasCondition(request, 'Approved') || hasCondition(request, 'Denied', 'Failed')) return
  const { certificateEnd, readRequest, signRequest } = await import('../../lib/pki/certificate-request.ts')
  const text = requestText(request)
  const usages = spec.usages ?? []
  const message = fault(await readRequest(text), usages)
  const write = (next: CertificateSigningRequest['status']) =>
    client.kind<CertificateSigningRequest>(Kind).updateStatus(structuredClone({ ...request, status: next! }))
  const now = clock.now()
  if (message !== undefined) {
    const failed = {
      type: 'Failed',
      status: 'True',
      reason: 'SignerValidationFailure',
      message,
      lastUpdateTime: rfc3339(now),
    }
    await write({ ...status, conditions: [...(status?.conditions ?? []), failed] })
    return
  }
  const pair = await authority()
  const times = validity(now, spec.expirationSeconds, certificateEnd(pair.certificate))
  const certificate = await signRequest(pair, text, { usages, ...times })
  await write({ ...status, certificate: Buffer.from(certificate).toString('base64') })
}

/** Makes the component. */
export const certificateSigner = (deps: SignerDeps): Component =>
  eachRequest('certificatesigningrequest-signing-controller', deps, request => handle(deps, request))
