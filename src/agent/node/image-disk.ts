/** The disk on which a runtime keeps images and what containers write, where that is not the node's own (imagefs). */
import { statSync } from 'node:fs'
import type { Logger } from '../../lib/log.ts'
import type { RuntimeDriver } from '../runtimes/runtime.ts'
import type { Machine } from './machine.ts'
import { type Disk, diskOf } from './usage.ts'

export interface ImageDisk {
  read(): Disk | undefined
  /** What containers of this runtime write lies there. */
  isOf(driver: RuntimeDriver): boolean
}

/** Which disk a path is on; undefined where it cannot be told. */
const deviceOf = (path: string): number | undefined => {
  try {
    return statSync(path).dev
  } catch {
    return undefined
  }
}

/** Asks the runtimes; undefined where all is on the disk of `dataDir`. A node has one at most: the first that is found. */
export async function findImageDisk(
  runtimes: readonly RuntimeDriver[],
  dataDir: string,
  logger: Logger,
  device = deviceOf,
): Promise<ImageDisk | undefined> {
  const own = device(dataDir)
  const found = new Map<RuntimeDriver, { readonly folder: string; readonly on: number }>()
  for (const driver of runtimes) {
    const folder = await driver.images?.folder?.().catch(error => {
      logger.warn({ err: error, runtime: driver.version }, 'where images lie cannot be told')
      return undefined
    })
    const on = folder === undefined ? undefined : device(folder)
    if (folder !== undefined && on !== undefined && on !== own) found.set(driver, { folder, on })
  }
  const [first] = found.values()
  if (!first) return undefined
  return { read: () => diskOf(first.folder), isOf: driver => found.get(driver)?.on === first.on }
}

/** The machine, with that disk among what is used of it. */
export function withImageDisk(machine: Machine, images: ImageDisk | undefined): Machine {
  const usage = machine.usage?.bind(machine)
  return usage && images ? { ...machine, usage: () => ({ ...usage(), imageDisk: images.read() }) } : machine
}
