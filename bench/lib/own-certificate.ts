import { createAuthority, issueCertificate, type KeyPair } from '../../src/lib/pki/certificate.ts'

/** A certificate that is good for a day, by nobody. */
export async function certificateOf(host: string): Promise<KeyPair> {
  const validity = { now: Date.now(), lifetime: 24 * 3600_000 }
  const authority = await createAuthority({ commonName: 'bench', ...validity })
  return issueCertificate(authority, { usage: 'server', commonName: host, hosts: [host], ...validity })
}
