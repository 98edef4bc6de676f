/**
 * Makes room on a node's disk by removing images that nothing runs, the longest unused first (Kubernetes documentation,
 * "Garbage collection of unused containers and images"). It has no timer: it looks when the node renews its status.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { NodeImage } from '../runtimes/runtime.ts'
import type { NodeImages } from './images.ts'
import type { Disk } from './usage.ts'

export interface ImageGarbageSettings {
  /** Above this share of the disk (%) images are removed (100: never), */
  readonly highPercent: number
  /** until it is below this. */
  readonly lowPercent: number
  /** An image that came a moment ago is about to be used: it stays so long (ms). */
  readonly minAgeMs: number
  /** An image that is not used for longer (ms) is removed, however much room there is. Absent: none is. */
  readonly maxAgeMs?: number
}

export interface ImageGarbage {
  /** Looks at the disk and makes room where that is due. Resolves with the images that are left. */
  collect(): Promise<readonly NodeImage[]>
}

export interface ImageGarbageDeps {
  readonly settings: ImageGarbageSettings
  readonly images: Pick<NodeImages, 'look'>
  disk(): Pick<Disk, 'capacityBytes' | 'availableBytes'> | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/** Remembers since when images are unused, as far as it has looked. */
export function createImageGarbage({ settings, images, disk, clock, logger }: ImageGarbageDeps): ImageGarbage {
  const { highPercent, lowPercent, minAgeMs, maxAgeMs = Number.POSITIVE_INFINITY } = settings
  let since = new Map<string, number>()

  return {
    async collect() {
      const all = new Set(await images.look())
      const unused = [...all].filter(({ drop }) => drop)
      const now = clock.elapsed()
      since = new Map(unused.map(({ id }) => [id, since.get(id) ?? now]))
      const age = ({ id }: { readonly id: string }) => now - since.get(id)!
      const { capacityBytes: total = 0, availableBytes: available = 0 } = disk() ?? {}
      const isFull = total > 0 && highPercent < 100 && 100 - (available * 100) / total >= highPercent
      const wanted = isFull ? (total * (100 - lowPercent)) / 100 - available : 0
      let freed = 0
      const old = unused.filter(each => age(each) >= minAgeMs).sort((a, b) => age(b) - age(a))
      for (const image of old) {
        const isTooOld = age(image) > maxAgeMs
        if (freed >= wanted && !isTooOld) break
        if (!(await image.drop?.())) continue
        all.delete(image)
        freed += image.size
        const why = isTooOld ? 'an image was removed that was not used for long' : 'an image was removed to make room'
        logger.info({ image: image.names[0] ?? image.id, size: image.size }, why)
      }
      if (freed < wanted)
        logger.warn({ wanted, freed }, 'the disk is nearly full, and there are not enough unused images to remove')
      return [...all]
    },
  }
}
