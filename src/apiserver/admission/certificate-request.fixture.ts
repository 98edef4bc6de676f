/** Certificate requests, for tests. */
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

interface Asked {
  readonly subject: x509.JsonName
  readonly hosts?: string[]
}

/** A request in PEM, encoded as the API wants it. */
export async function pkcs10({ subject, hosts = [] }: Asked): Promise<string> {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const names = hosts.map(value => ({ type: 'dns' as const, value }))
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: names.length ? [new x509.SubjectAlternativeNameExtension(names)] : [],
  })
  return Buffer.from(request.toString('pem')).toString('base64')
}

/** The object that asks for a certificate. */
export const csr = (name: string, request: string, signerName: string, usages: string[], more: object = {}) => ({
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { name },
  spec: { request, signerName, usages, ...more },
})
