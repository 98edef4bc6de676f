/** What hosts show: certificates of secrets, each of which is watched alone and followed while some Ingress names it. */
import { createSecureContext } from 'node:tls'
import { Secret } from '../../api/kinds/core/secret.ts'
import type { WatchedObject, WatchedObjects } from '../../client/watched-objects.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import type { CertificateUse, Problem } from '../ingress/compile.ts'

export interface Certificates {
  /** From now on these count. Of two for one host, the first that can be used. */
  use(uses: readonly CertificateUse[]): void
  /** Resolves when what the secrets in use hold is known. */
  synced(): Promise<void>
  /** What each host shows now, '' being all that have nothing of their own. */
  shown(): ReadonlyMap<string, KeyPair>
  /** What is wrong with the secrets in use. */
  problems(): Problem[]
  close(): void
}

/** What a secret holds, or why it cannot be used. */
type Content = { readonly pair: KeyPair } | { readonly reason: string; readonly message: string }

interface Held {
  readonly object: WatchedObject<Secret>
  /** Which state of the secret `content` is of. */
  of: Secret | undefined
  content: Content | undefined
}

const decoded = (secret: Secret, key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString()

/** API doc: Secret, `kubernetes.io/tls`. The type itself is not asked for: the keys are what counts. */
function read(secret: Secret, name: string): Content {
  const pair = { certificate: decoded(secret, 'tls.crt'), key: decoded(secret, 'tls.key') }
  const invalid = (what: string): Content => ({ reason: 'SecretInvalid', message: `secret ${name} ${what}` })
  if (!pair.certificate || !pair.key) return invalid('has no tls.crt and tls.key')
  try {
    createSecureContext({ cert: pair.certificate, key: pair.key })
    return { pair }
  } catch (error) {
    return invalid(`holds no certificate with its key: ${(error as Error).message}`)
  }
}

/** Makes it; `changed` is called after each change of a secret in use. */
export function createCertificates(watched: WatchedObjects, changed: () => void): Certificates {
  let uses: readonly CertificateUse[] = []
  const held = new Map<string, Held>()

  const idOf = ({ ingress, secret }: CertificateUse) => `${ingress.metadata?.namespace}/${secret}`

  function contentOf(id: string): Content | undefined {
    const entry = held.get(id)
    const secret = entry?.object.current()
    if (!entry || !secret) return undefined
    if (entry.of !== secret) {
      entry.of = secret
      entry.content = read(secret, id)
    }
    return entry.content
  }

  return {
    use(next) {
      uses = next
      const wanted = new Map(uses.map(use => [idOf(use), use]))
      for (const [id, { object }] of held)
        if (!wanted.has(id)) {
          object.release()
          held.delete(id)
        }
      for (const [id, { ingress, secret }] of wanted) {
        if (held.has(id)) continue
        const object = watched.hold<Secret>(Secret, ingress.metadata?.namespace ?? '', secret, changed)
        held.set(id, { object, of: undefined, content: undefined })
      }
    },
    async synced() {
      await Promise.all([...held.values()].map(({ object }) => object.synced()))
    },
    shown() {
      const hosts = new Map<string, KeyPair>()
      for (const use of uses) {
        const content = contentOf(idOf(use))
        if (!content || !('pair' in content)) continue
        for (const host of use.hosts) if (!hosts.has(host)) hosts.set(host, content.pair)
      }
      return hosts
    },
    problems: () =>
      uses.flatMap(use => {
        const id = idOf(use)
        const content = contentOf(id)
        if (!content)
          return [{ ingress: use.ingress, reason: 'SecretNotFound', message: `secret ${id} of its TLS is not there` }]
        return 'reason' in content ? [{ ingress: use.ingress, ...content }] : []
      }),
    close() {
      for (const { object } of held.values()) object.release()
      held.clear()
    },
  }
}
