/** The images of processes: a store's, and the machine's own files. */

import type { Image, ImageStore } from '../../images/store.ts'
import { checkPull, fullImageName } from '../image-policy.ts'
import { type EnsuredImage, type PullOptions, RuntimeError } from '../runtime.ts'

/** The name that stands for the machine's own files. */
export const isHostImage = (image: string): boolean =>
  image === 'host' || image === 'host:latest' || image === 'docker.io/library/host'

const ensured = (image: Image, pulled: boolean): EnsuredImage => {
  const user = image.config.config?.User?.split(':')[0]
  return {
    imageId: image.digests[0] ?? image.id,
    pulled,
    ...(user ? { user: /^\d+$/.test(user) ? Number(user) : user } : {}),
  }
}

/** `RuntimeDriver.ensureImage`. Without a store only the machine's files are there. `signal` ends a pull. */
export async function ensureImage(
  name: string,
  policy: string,
  store: ImageStore | undefined,
  signal: AbortSignal,
  { credentials, pulling }: PullOptions = { credentials: [] },
): Promise<EnsuredImage> {
  if (isHostImage(name)) return { imageId: '', pulled: false, user: process.getuid?.() ?? 0 }
  if (!store) {
    throw new RuntimeError(
      'ImageNotSupported',
      `image "${name}" needs a container runtime, and this pod runs on the process runtime, which has only the ` +
        'machine\'s own files: set "image: host" to run the command as a process, or choose a RuntimeClass of a node ' +
        'that runs containers',
    )
  }
  const full = fullImageName(name)
  const known = policy === 'Always' ? undefined : store.get(full)
  if (known) return ensured(known, false)
  checkPull(name, policy)
  try {
    pulling?.()
    const image = await store.pull(full, credentials, signal)
    return { ...ensured(image, true), size: image.size }
  } catch (error) {
    throw new RuntimeError('ErrImagePull', (error as Error).message, { cause: error })
  }
}
