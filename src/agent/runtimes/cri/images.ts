/** Images of a CRI runtime, by policy; refusals have the kubelet's reasons and sentences. */

import type { Credentials } from '../../images/registry.ts'
import { createLimiter } from '../../limiter.ts'
import { checkPull, fullImageName } from '../image-policy.ts'
import { type EnsuredImage, type PullOptions, RuntimeError, type RuntimeImages } from '../runtime.ts'
import { CallError, rpcText } from './channel.ts'
import type { CriImage } from './messages.ts'
import type { CriCall } from './services.ts'

/** Pulls at once: each has several downloads of its own. */
const PULLS = 3

export interface Images extends Omit<RuntimeImages, 'importArchive'> {
  ensure(image: string, policy: string, pull?: PullOptions): Promise<EnsuredImage>
}

const authOf = ({ username, password, token }: Credentials) => ({ username, password, identityToken: token })

/** The kubelet's reasons: a registry that cannot be reached, a signature that is refused, or whatever else. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof CallError)) return error
  const reason = /^(RegistryUnavailable|SignatureValidationFailed)/.exec(error.message)?.[1] ?? 'ErrImagePull'
  return new RuntimeError(reason, rpcText(error), { cause: error })
}

const userOf = ({ uid, username }: CriImage) => (uid ? { user: uid.value } : username ? { user: username } : {})

/** `isPinned` tells the names of images that the runtime itself needs, where it does not say so. */
export function createImages(call: CriCall, isPinned: (name: string) => boolean): Images {
  const pulls = createLimiter(PULLS)
  async function status(name: string): Promise<CriImage | undefined> {
    return (await call('ImageStatus', { image: { image: name } })).image
  }
  /** Shows each proof in turn, as the kubelet does; rejects with the last refusal. */
  async function pull(name: string, credentials: readonly Credentials[]): Promise<string> {
    let refusal: unknown
    for (const proof of credentials.length > 0 ? credentials : [undefined]) {
      try {
        return (await call('PullImage', { image: { image: name }, auth: proof && authOf(proof) })).imageRef
      } catch (error) {
        refusal = error
      }
    }
    throw refusalOf(refusal)
  }

  return {
    async list() {
      const { images } = await call('ListImages', {})
      return images.map(({ id, repoTags, repoDigests, size, pinned }) => ({
        id,
        names: repoTags,
        digests: repoDigests,
        size,
        pinned: pinned || repoTags.some(isPinned),
      }))
    },
    async remove(name) {
      const found = await status(name)
      if (found) await call('RemoveImage', { image: { image: name } })
      return found !== undefined
    },
    async ensure(image, policy, { credentials, pulling } = { credentials: [] }) {
      const name = fullImageName(image)
      const found = policy === 'Always' ? undefined : await status(name)
      if (found) return { imageId: found.id, pulled: false, ...userOf(found) }
      checkPull(image, policy)
      pulling?.()
      const imageRef = await pulls.run(() => pull(name, credentials))
      const pulled = await status(imageRef)
      return { imageId: imageRef, pulled: true, ...(pulled ? { size: pulled.size, ...userOf(pulled) } : {}) }
    },
  }
}
