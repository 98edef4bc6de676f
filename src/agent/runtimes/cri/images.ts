/** Images of a CRI runtime, by policy; refusals have the kubelet's reasons and sentences. */
import { formatReference, parseReference } from '../../images/reference.ts'
import { type EnsuredImage, RuntimeError } from '../runtime.ts'
import { CallError, CODE } from './channel.ts'
import type { CriImage } from './messages.ts'
import type { CriCall } from './services.ts'

export interface Images {
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

export function createImages(call: CriCall): Images {
  async function status(name: string): Promise<CriImage | undefined> {
    return (await call('ImageStatus', { image: { image: name } })).image
  }
  return {
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
