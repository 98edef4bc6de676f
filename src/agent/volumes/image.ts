import type { VolumeType } from './volume.ts'

/**
 * API doc: ImageVolumeSource (KEP-4639). The files of an image, which is pulled before the first container that mounts it
 * starts: what cannot be pulled keeps that one waiting, not the pod. So there is nothing to set up here.
 */
export const imageVolume: VolumeType = {
  field: 'image',
  folder: 'kubernetes.io~image',
  live: false,
  readOnly: true,
  setUp: async (_spec, { directory }) => directory,
  mount: async ({ volume, subPath, images }) => ({ ...(await images(volume, subPath)), noExec: true }),
}
