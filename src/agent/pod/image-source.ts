/** Where a pod's image volumes are, for containers of its sandbox. */
import { statSync } from 'node:fs'
import { resolveIn } from '../images/rooted.ts'
import { RuntimeError, type VolumeImage } from '../runtimes/runtime.ts'
import type { ImageSource } from '../volumes/volume.ts'
import type { Ground } from './ground.ts'

/** In the words of CRI (k8s.io/cri-api pkg/errors). */
const failed = (message: string, cause?: unknown) =>
  new RuntimeError('CreateContainerError', `ImageVolumeMountFailed: ${message}`, { cause })

/** A folder of an image. Nobody changes its files, and its links do not lead out of it. Throws `RuntimeError`. */
function folderIn(root: string, subPath: string): string {
  if (!subPath) return root
  let path: string
  try {
    path = resolveIn(root, subPath)
    if (statSync(path).isDirectory()) return path
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw failed(`subPath ${JSON.stringify(subPath)}: ${isMissing ? 'no such file or directory' : error}`, error)
  }
  throw failed(`subPath ${JSON.stringify(subPath)} is no folder: only folders of an image are mounted`)
}

/** `images` are those of the pod's volumes, by the volumes' names. */
export function imageSource(
  { driver, sandbox }: Pick<Ground, 'driver' | 'sandbox'>,
  images: ReadonlyMap<string, VolumeImage>,
): ImageSource {
  return async (volume, subPath) => {
    const image = { ...images.get(volume)!, subPath }
    if (driver.capabilities.imageMounts) return { hostPath: '', image }
    if (!driver.imageFolder) throw failed('image volumes are not supported by the runtime')
    return { hostPath: folderIn(await driver.imageFolder(sandbox, image.id), subPath), image }
  }
}
