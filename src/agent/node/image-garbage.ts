/**
 * Makes room on a node's disk by removing images that nothing runs, the longest unused first (Kubernetes documentation,
 * "Garbage collection of unused containers and images"). It has no timer: it looks when the node renews its status.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { NodeImages } from './images.ts'
import type { Disk } from './usage.ts'

/** Above this share of the disk (%) images are removed, until it is below the second; as the kubelet's defaults. */
const HIGH = 85
const LOW = 80
/** An image that came a moment ago is about to be used (ms). */
const MIN_AGE_MS = 120_000

export interface ImageGarbage {
  /** Looks at the disk and makes room where that is due. Resolves with bytes that were freed, as images say. */
  collect(): Promise<number>
}

export interface ImageGarbageDeps {
  readonly images: Pick<NodeImages, 'unused'>
  disk(): Pick<Disk, 'capacityBytes' | 'availableBytes'> | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/** Remembers since when images are unused, as far as it has looked. */
export function createImageGarbage({ images, disk, clock, logger }: ImageGarbageDeps): ImageGarbage {
  let since = new Map<string, number>()

  return {
    async collect() {
      const unused = await images.unused()
      const now = clock.elapsed()
      since = new Map(unused.map(({ id }) => [id, since.get(id) ?? now]))
      const { capacityBytes: total = 0, availableBytes: available = 0 } = disk() ?? {}
      if (total === 0 || 100 - (available * 100) / total < HIGH) return 0
      const wanted = (total * (100 - LOW)) / 100 - available
      let freed = 0
      const old = unused.filter(({ id }) => now - since.get(id)! >= MIN_AGE_MS)
      for (const { id, size, names, drop } of old.sort((a, b) => since.get(a.id)! - since.get(b.id)!)) {
        if (freed >= wanted) break
        if (!(await drop())) continue
        freed += size
        logger.info({ image: names[0] ?? id, size }, 'an image was removed to make room on the disk')
      }
      if (freed < wanted)
        logger.warn({ wanted, freed }, 'the disk is nearly full, and there are not enough unused images to remove')
      return freed
    },
  }
}
