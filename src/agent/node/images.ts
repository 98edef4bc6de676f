/** The images of a node, whatever runtimes keep them: for `tutti image`, the node's status, and to make room. */
import { randomBytes } from 'node:crypto'
import { createWriteStream, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ContainerImage } from '../../api/generated/types/core-v1.ts'
import { badRequest, StatusError } from '../../api/machinery/status-error.ts'
import { fullName } from '../images/reference.ts'
import type { NodeImage, RuntimeDriver, RuntimeImages } from '../runtimes/runtime.ts'

export interface NodeImages {
  /** Of all runtimes, each with the handlers that run it. */
  list(): Promise<readonly (NodeImage & { readonly handlers: readonly string[] })[]>
  /** Takes an archive in; resolves with the images' names. Rejects with a `StatusError`. */
  importArchive(handler: string, archive: AsyncIterable<Uint8Array>): Promise<readonly string[]>
  /** Removes an image from all runtimes that have it; false where none has. Rejects with a `StatusError`. */
  remove(name: string): Promise<boolean>
  /** The same, with which of them may go. */
  look(): Promise<readonly SeenImage[]>
  /** Removes what may go, of these runtimes where not of all; resolves with what it was. */
  prune(of?: (driver: RuntimeDriver) => boolean): Promise<readonly NodeImage[]>
}

export interface SeenImage extends NodeImage {
  /** Of one that no container is made of, and that is not pinned. False where it was gone already. */
  drop?(): Promise<boolean>
}

type Keeper = RuntimeDriver & { readonly images: RuntimeImages }

/** What containers are made of, by every word that a runtime has for it. */
async function usedBy(driver: RuntimeDriver): Promise<ReadonlySet<string>> {
  const containers = await driver.listContainers()
  return new Set(
    containers.flatMap(({ image, imageId, volumeImages = [] }) => [fullName(image) ?? image, imageId, ...volumeImages]),
  )
}

const wordsOf = ({ id, names, digests }: NodeImage) => [id, ...names, ...digests]

/** `staging` is a folder for archives on their way. */
export function createNodeImages(runtimes: readonly RuntimeDriver[], staging: string): NodeImages {
  const keepers = runtimes.filter((driver): driver is Keeper => driver.images !== undefined)

  async function look(of: (driver: RuntimeDriver) => boolean = () => true): Promise<SeenImage[]> {
    const found: SeenImage[] = []
    for (const keeper of keepers.filter(of)) {
      const used = await usedBy(keeper)
      for (const image of await keeper.images.list()) {
        const isUsed = image.pinned || wordsOf(image).some(word => used.has(word))
        found.push(isUsed ? image : { ...image, drop: () => keeper.images.remove(image.id) })
      }
    }
    return found
  }

  return {
    look: () => look(),
    async list() {
      const lists = keepers.map(async ({ images, capabilities }) =>
        (await images.list()).map(image => ({ ...image, handlers: capabilities.handlers })),
      )
      return (await Promise.all(lists)).flat()
    },
    async importArchive(handler, archive) {
      const keeper = keepers.find(each => each.capabilities.handlers.includes(handler))
      if (!keeper) throw badRequest(`no runtime of this node keeps images for ${handler || 'the default handler'}`)
      mkdirSync(staging, { recursive: true, mode: 0o700 })
      const file = join(staging, randomBytes(8).toString('hex'))
      try {
        await pipeline(Readable.from(archive), createWriteStream(file, { mode: 0o600 }))
        return await keeper.images.importArchive(file)
      } catch (error) {
        throw error instanceof StatusError ? error : badRequest((error as Error).message)
      } finally {
        rmSync(file, { force: true })
      }
    },
    async remove(name) {
      // What is no name may be an id.
      const full = fullName(name) ?? name
      let found = false
      for (const { images } of keepers) {
        const image = (await images.list()).find(each => wordsOf(each).some(word => word === full || word === name))
        if (!image) continue
        if (image.pinned) throw badRequest(`image ${name} is needed by the container runtime itself`)
        found = (await images.remove(image.names[0] ?? image.id)) || found
      }
      return found
    },
    async prune(of) {
      const removed: NodeImage[] = []
      for (const { drop, ...image } of await look(of)) if (await drop?.()) removed.push(image)
      return removed
    },
  }
}

/** Images that a node's status names at most, and names of each, as the kubelet has it. */
const STATUS_IMAGES = 50
const STATUS_NAMES = 5

/** node.status.images: the largest, from which the scheduler sees where an image need not be fetched. */
export const statusImages = (images: readonly NodeImage[]): ContainerImage[] =>
  images
    .toSorted((a, b) => b.size - a.size)
    .slice(0, STATUS_IMAGES)
    .map(({ names, digests, size }) => ({ names: [...digests, ...names].slice(0, STATUS_NAMES), sizeBytes: size }))
