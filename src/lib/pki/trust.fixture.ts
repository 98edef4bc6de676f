/** What both ends of a test's TLS connections show and trust, for an hour. */
import { createAuthority, issueCertificate, type KeyPair } from './certificate.ts'

export interface Trust {
  readonly authority: KeyPair
  /** Of a server on 127.0.0.1. */
  readonly server: KeyPair
  client(commonName: string, ...organizations: string[]): Promise<KeyPair>
}

export async function makeTrust(): Promise<Trust> {
  const times = { now: Date.now(), lifetime: 3_600_000 }
  const authority = await createAuthority({ commonName: 'test', ...times })
  return {
    authority,
    server: await issueCertificate(authority, { commonName: 'api', usage: 'server', hosts: ['127.0.0.1'], ...times }),
    client: (commonName, ...organizations) =>
      issueCertificate(authority, { commonName, organizations, usage: 'client', ...times }),
  }
}
