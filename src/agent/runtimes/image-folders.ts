/** Files of images as folders of a sandbox, for containers to mount: each is mounted once, and let go with the sandbox. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isMounted, removeTree, unmount } from '../../lib/mounts.ts'
import { mountToRead, type Overlay } from './overlay.ts'

export interface ImageFolders {
  /** The folder below `place` where an image's files are seen. */
  open(place: string, image: string): Promise<string>
  /** Lets go of all that is below `place`. May be repeated. */
  close(place: string): Promise<void>
}

export interface ImageFoldersDeps {
  /** Where the layers of an image are, for as long as `folder` is mounted. */
  layers(image: string, folder: string): Promise<Pick<Overlay, 'folder' | 'layers'>>
  /** What was mounted at `folder` is so no more. */
  left?(folder: string): Promise<void>
}

/** What is mounted is found by the kernel's table: an earlier life of the program may have mounted it. */
export function createImageFolders({ layers, left }: ImageFoldersDeps): ImageFolders {
  const running = new Map<string, Promise<void>>()
  async function mount(image: string, target: string) {
    if (isMounted(target)) return
    mkdirSync(target, { recursive: true, mode: 0o755 })
    await mountToRead({ ...(await layers(image, target)), target })
  }
  return {
    async open(place, image) {
      const target = join(place, createHash('sha256').update(image).digest('hex').slice(0, 16))
      const work = running.get(target) ?? mount(image, target).finally(() => running.delete(target))
      running.set(target, work)
      await work
      return target
    },
    async close(place) {
      if (!existsSync(place)) return
      for (const name of readdirSync(place)) {
        await unmount(join(place, name))
        await left?.(join(place, name))
      }
      await removeTree(place)
    },
  }
}
