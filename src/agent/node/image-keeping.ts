/** The images of a node over its life: brought in at its start, told in its status, removed where they only take room. */
import { join } from 'node:path'
import type { ContainerImage } from '../../api/generated/types/core-v1.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { PullRecords } from '../pulls/records.ts'
import type { NodeImage } from '../runtimes/runtime.ts'
import type { ImageDisk } from './image-disk.ts'
import { createImageGarbage, type ImageGarbageSettings } from './image-garbage.ts'
import { type NodeImages, statusImages } from './images.ts'
import { preloadImages } from './preload.ts'
import { diskOf } from './usage.ts'

export interface ImageKeepingDeps {
  readonly dataDir: string
  readonly images: NodeImages
  readonly imageDisk: ImageDisk | undefined
  readonly settings: ImageGarbageSettings
  /** Of how images came. */
  readonly records: Pick<PullRecords, 'keep'>
  readonly clock: Clock
  readonly logger: Logger
}

export interface ImageKeeping {
  /** For node.status.images. Rejects where a runtime does not answer. */
  images(): Promise<readonly ContainerImage[]>
  /** The same, after what only takes room is removed; undefined where that failed. */
  tidy(): Promise<readonly ContainerImage[] | undefined>
}

/** Resolves when archives in the node's folder are taken in. */
export async function keepImages(deps: ImageKeepingDeps): Promise<ImageKeeping> {
  const { dataDir, images, imageDisk, settings, records, clock, logger } = deps
  const disk = () => (imageDisk ? imageDisk.read() : diskOf(dataDir))
  const garbage = createImageGarbage({ settings, images, disk, clock, logger })
  function told(all: readonly NodeImage[]): ContainerImage[] {
    // Of what is gone nothing needs to be known.
    records.keep(new Set(all.flatMap(({ id, digests }) => [id, ...digests])))
    return statusImages(all)
  }
  await preloadImages(join(dataDir, 'images'), images, logger)
  return {
    images: async () => told(await images.list()),
    async tidy() {
      try {
        return told(await garbage.collect())
      } catch (error) {
        logger.warn({ err: error }, 'unused images could not be removed')
        return undefined
      }
    },
  }
}
