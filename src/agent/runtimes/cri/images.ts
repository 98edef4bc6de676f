/** Images of a CRI runtime; refusals have the kubelet's reasons and sentences. */

import { CallError, rpcText } from '../../../lib/grpc/channel.ts'
import type { Credentials } from '../../images/registry.ts'
import { fullImageName } from '../image-name.ts'
import { type FoundImage, type RuntimeDriver, RuntimeError, type RuntimeImages } from '../runtime.ts'
import type { CriImage } from './messages.ts'
import type { CriCall } from './services.ts'

export interface Images
  extends Required<Omit<RuntimeImages, 'importArchive'>>,
    Pick<RuntimeDriver, 'findImage' | 'pullImage'> {}

const authOf = ({ username, password, token }: Credentials) => ({ username, password, identityToken: token })

/** The kubelet's reasons: a registry that cannot be reached, a signature that is refused, or whatever else. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof CallError)) return error
  const reason = /^(RegistryUnavailable|SignatureValidationFailed)/.exec(error.message)?.[1] ?? 'ErrImagePull'
  return new RuntimeError(reason, rpcText(error), { cause: error })
}

const foundOf = (imageId: string, image: CriImage | undefined): FoundImage => ({
  imageId,
  ...(image?.uid ? { user: image.uid.value } : image?.username ? { user: image.username } : {}),
  ...(image ? { size: image.size } : {}),
})

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
    async folder() {
      const { imageFilesystems } = await call('ImageFsInfo', {})
      return imageFilesystems[0]?.fsId?.mountpoint || undefined
    },
    async findImage(image) {
      const found = await status(fullImageName(image))
      return found && foundOf(found.id, found)
    },
    async pullImage(image, proof) {
      try {
        const request = { image: { image: fullImageName(image) }, auth: proof && authOf(proof) }
        const { imageRef } = await call('PullImage', request)
        return foundOf(imageRef, await status(imageRef))
      } catch (error) {
        throw refusalOf(error)
      }
    },
  }
}
