/** A process driver with a store of images, as tests open it below a folder of their own. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { realClock } from '../../../lib/clock.ts'
import { silent } from '../../../lib/log.ts'
import type { TarEntry } from '../../../lib/tar.ts'
import { type ImageStore, openImageStore } from '../../images/store.ts'
import { mountLayers } from '../overlay.ts'
import type { RuntimeDriver } from '../runtime.ts'
import { openProcessDriver } from './driver.ts'
import { setFileCapability } from './file-capabilities.ts'

/** Opens both, or opens them again. Pods are in `pods` of `root`. */
export async function openWithImages(
  root: string,
  cgroupRoot: string,
): Promise<{ readonly driver: RuntimeDriver; readonly store: ImageStore }> {
  const folder = join(root, 'images')
  const store = openImageStore({
    folder,
    clock: realClock,
    mirrors: () => [],
    ca: () => undefined,
    mount: mountLayers(join(folder, 'layers')),
    owners: true,
    setCapability: setFileCapability,
  })
  const podsDirectory = join(root, 'pods')
  const images = { open: async () => store, toolsFolder: join(root, 'tools') }
  const driver = await openProcessDriver({ podsDirectory, cgroupRoot, clock: realClock, logger: silent, images })
  return { driver, store }
}

/** NET_BIND_SERVICE as permitted and effective (linux/capability.h, struct vfs_cap_data). */
const NET_BIND_SERVICE = Buffer.from('0100000200040000000000000000000000000000', 'hex')

/** A program of an image that has that capability: `may FILE` shows a file. */
export const capableProgram = (): TarEntry => ({
  name: 'usr/bin/may',
  bytes: readFileSync('/usr/bin/cat'),
  mode: 0o755,
  capability: NET_BIND_SERVICE,
})
