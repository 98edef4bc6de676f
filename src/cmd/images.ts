/** The images of a node that runs them without a container runtime: opened when the first one is asked for. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ImageStore } from '../agent/images/store.ts'
import type { RegistrySettings } from '../agent/runtimes/containerd/registries.ts'
import { IMAGE_STORE } from '../cli/users.ts'
import type { Clock } from '../lib/clock.ts'
import { lazy } from '../lib/lazy.ts'
import { isOneUser, ownIds } from '../lib/user-namespace.ts'

/** Where a process runtime finds images and the programs that go with them, below the data directory. */
export function imagesOf(dataDir: string, clock: Clock, registries: readonly RegistrySettings[]) {
  const settingsOf = (host: string) => registries.find(each => each.host === host)
  const folder = join(dataDir, IMAGE_STORE)
  const store = lazy(async (): Promise<ImageStore> => {
    const { openImageStore } = await import('../agent/images/store.ts')
    const { mountLayers } = await import('../agent/runtimes/overlay.ts')
    const { setFileCapability } = await import('../agent/runtimes/process/file-capabilities.ts')
    return openImageStore({
      folder,
      clock,
      mirrors(host) {
        const { mirrors = [], ca } = settingsOf(host) ?? {}
        return mirrors.map(url => ({ url, ...(ca && { ca }) }))
      },
      ca: host => settingsOf(host)?.ca,
      mount: mountLayers(join(folder, 'layers')),
      owners: !isOneUser(ownIds()),
      setCapability: setFileCapability,
    })
  })
  return {
    open: store.load,
    isEmpty: () => !existsSync(join(folder, 'images.json')),
    toolsFolder: join(folder, 'tools'),
  }
}
