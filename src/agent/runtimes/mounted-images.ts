import type { ContainerStatus, Mount } from './runtime.ts'

/** What a container's status says of the images that are mounted into it: nothing where there are none. */
export function mountedImages(mounts: readonly Mount[]): Pick<ContainerStatus, 'volumeImages'> {
  const volumeImages = mounts.flatMap(({ image }) => image?.id ?? [])
  return volumeImages.length > 0 ? { volumeImages } : {}
}
