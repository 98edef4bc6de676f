/**
 * Who may use an image that is on the node without asking its registry (KEP-2535): what a secret has opened is open to
 * pods that have the secret, and what anybody may pull, or a proof of the node's own has opened, to all. Kept in a file.
 */
import { createHash } from 'node:crypto'
import type { Secret } from '../../api/generated/types/core-v1.ts'
import { readJsonFile, writeFileAtomic } from '../../lib/atomic-file.ts'
import { type ImageReference, nameOf } from '../images/reference.ts'
import type { Credentials } from '../images/registry.ts'

/** Which images on the node are open to all, unasked; as KubeletConfiguration names it. */
export const VERIFICATIONS = [
  'NeverVerify',
  'NeverVerifyPreloadedImages',
  'NeverVerifyAllowlistedImages',
  'AlwaysVerify',
] as const

export interface VerificationSettings {
  readonly policy: (typeof VERIFICATIONS)[number]
  /** Names without tags; those that end in `/*` are of all below. */
  readonly allowlist: readonly string[]
}

/** What may be shown to a registry, and the secret that it is of; without one it is the node's own. */
export interface Proof {
  readonly credentials: Credentials
  readonly secret?: SecretProof
}

/** A secret, and what it held. */
interface SecretProof {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly hash: string
}

/** An entry of a secret as a proof. */
export function secretProof({ metadata = {} }: Secret, credentials: Credentials): Proof {
  const { namespace = '', name = '', uid = '' } = metadata
  const hash = createHash('sha256').update(JSON.stringify(credentials)).digest('hex')
  return { credentials, secret: { namespace, name, uid, hash } }
}

/** To whom an image of one name is open. */
type Access = 'everybody' | readonly SecretProof[]

interface State {
  /** Images that are being pulled, or were when the program died. */
  readonly pulling: readonly string[]
  /** Image id → name without tag → access. */
  readonly images: Readonly<Record<string, Readonly<Record<string, Access>>>>
}

export interface PullRecords {
  /** Whether a pod that has these proofs may use what is there. */
  isOpen(image: ImageReference, id: string, proofs: readonly Proof[]): boolean
  begin(image: ImageReference): void
  /** The image was pulled by this proof, or as nobody; without an id it was not. */
  end(image: ImageReference, pulled?: { readonly id: string; readonly proof: Proof | undefined }): void
  /** Forgets all images but these. */
  keep(ids: ReadonlySet<string>): void
}

const same = (a: SecretProof, b: SecretProof) =>
  a.hash === b.hash || (a.uid === b.uid && a.name === b.name && a.namespace === b.namespace)

const isListed = (name: string, allowlist: readonly string[]) =>
  allowlist.some(each => (each.endsWith('/*') ? name.startsWith(each.slice(0, -1)) : name === each))

/** Over a file, which may be missing or broken: then nothing was pulled by this node. */
export function openRecords(file: string, { policy, allowlist }: VerificationSettings): PullRecords {
  let { pulling = [], images = {} } = readJsonFile<Partial<State>>(file) ?? {}
  const save = () => writeFileAtomic(file, JSON.stringify({ pulling, images } satisfies State))
  const mustVerify = (name: string, isPulled: boolean) =>
    policy === 'AlwaysVerify' ||
    (policy === 'NeverVerifyPreloadedImages' && isPulled) ||
    (policy === 'NeverVerifyAllowlistedImages' && !isListed(name, allowlist))

  return {
    isOpen(image, id, proofs) {
      const name = nameOf(image)
      const known = images[id]
      if (!mustVerify(name, known !== undefined || pulling.includes(name))) return true
      const access = known?.[name] ?? []
      return access === 'everybody' || proofs.some(({ secret }) => secret && access.some(each => same(each, secret)))
    },
    begin(image) {
      const name = nameOf(image)
      if (pulling.includes(name)) return
      pulling = [...pulling, name]
      save()
    },
    end(image, pulled) {
      const name = nameOf(image)
      pulling = pulling.filter(each => each !== name)
      if (pulled) {
        const { id, proof } = pulled
        const before = images[id]?.[name] ?? []
        const others = before === 'everybody' ? [] : before.filter(each => proof?.secret && !same(each, proof.secret))
        const access: Access = before === 'everybody' || !proof?.secret ? 'everybody' : [...others, proof.secret]
        images = { ...images, [id]: { ...images[id], [name]: access } }
      }
      save()
    },
    keep(ids) {
      const left = Object.entries(images).filter(([id]) => ids.has(id))
      if (left.length === Object.keys(images).length) return
      images = Object.fromEntries(left)
      save()
    },
  }
}
