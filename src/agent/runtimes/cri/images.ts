/** Images of a CRI runtime, by policy; refusals have the kubelet's reasons and sentences. */
import { formatReference, parseReference } from '../../images/reference.ts'
import { type EnsuredImage, RuntimeError, type RuntimeImages } from '../runtime.ts'
import { CallError, CODE } from './channel.ts'
import type { CriImage } from './messages.ts'
import type { CriCall } from './services.ts'

export interface Images extends Omit<RuntimeImages, 'importArchive'> {
  ensure(image: string, policy: string): Promise<EnsuredImage>
}

const userOf = ({ uid, username }: CriImage) => (uid ? { user: uid.value } : username ? { user: username } : {})

function fullName(image: string): string {
  try {
    return formatReference(parseReference(image))
  } catch (cause) {
    const message = `Failed to apply default image tag ${JSON.stringify(image)}: ${(cause as Error).message}`
    throw new RuntimeError('InvalidImageName', message, { cause })
  }
}

/** `isPinned` tells the names of images that the runtime itself needs, where it does not say so. */
export function createImages(call: CriCall, isPinned: (name: string) => boolean): Images {
  async function status(name: string): Promise<CriImage | undefined> {
    return (await call('ImageStatus', { image: { image: name } })).image
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
    async ensure(image, policy) {
      const name = fullName(image)
      const found = policy === 'Always' ? undefined : await status(name)
      if (found) return { imageId: found.id, pulled: false, ...userOf(found) }
      if (policy === 'Never')
        throw new RuntimeError(
          'ErrImageNeverPull',
          `Container image ${JSON.stringify(image)} is not present with pull policy of Never`,
        )
      try {
        const { imageRef } = await call('PullImage', { image: { image: name } })
        const pulled = await status(imageRef)
        return { imageId: imageRef, pulled: true, ...(pulled ? userOf(pulled) : {}) }
      } catch (error) {
        if (!(error instanceof CallError)) throw error
        const word = error.code === CODE.notFound ? 'NotFound' : 'Unknown'
        throw new RuntimeError('ErrImagePull', `rpc error: code = ${word} desc = ${error.message}`, { cause: error })
      }
    },
  }
}
