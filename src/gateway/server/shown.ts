/** Which certificate a client is shown: that of the host it names, else the one for all, else one of our own. */
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Clock } from '../../lib/clock.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import { type Entries, merge } from '../entries.ts'
import { byHost } from '../routing/host.ts'

/** What clients are shown. */
export interface ShownCertificates {
  /** To one that names a host; undefined: the fallback. */
  contextFor(host: string): SecureContext | undefined
  /** To one that names none, or one for which there is nothing. */
  fallback(): Promise<KeyPair>
}

const DAY = 24 * 3600_000
const OWN_LIFETIME = 365 * DAY

/** Made by nobody whom clients know. */
async function makeOwn(clock: Clock): Promise<KeyPair> {
  const { createAuthority, issueCertificate } = await import('../../lib/pki/certificate.ts')
  const validity = { now: clock.now(), lifetime: OWN_LIFETIME }
  const authority = await createAuthority({ commonName: 'Tutti, for this start only', ...validity })
  const hosts = ['localhost', '*.localhost']
  return issueCertificate(authority, { usage: 'server', commonName: 'Tutti default certificate', hosts, ...validity })
}

/** Makes it, with nothing to show but its own; `use` takes what hosts have, '' being all others. */
export function createShown(clock: Clock): ShownCertificates & { use(certificates: Entries<KeyPair>): void } {
  const pairs = new Map<string, KeyPair>()
  /** Made when first asked for. */
  const contexts = new Map<KeyPair, SecureContext>()
  let own: Promise<KeyPair> | undefined
  return {
    use(certificates) {
      if (!certificates.length) return
      merge(pairs, certificates)
      contexts.clear()
    },
    contextFor(host) {
      const pair = byHost(pairs, host.toLowerCase()) ?? pairs.get('')
      if (!pair) return undefined
      let context = contexts.get(pair)
      if (!context) contexts.set(pair, (context = createSecureContext({ cert: pair.certificate, key: pair.key })))
      return context
    },
    async fallback() {
      const all = pairs.get('')
      if (all) return all
      own ??= makeOwn(clock)
      return own
    },
  }
}
