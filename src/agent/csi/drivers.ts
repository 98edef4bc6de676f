/** The CSI drivers of a node, by registration. */
import { join } from 'node:path'
import type { Client } from '../../client/client.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { addDriver, removeDriver } from './csi-node.ts'
import { type CsiDriver, openDriver } from './driver.ts'
import { followPlugins } from './plugins.ts'

export interface CsiDrivers {
  /** undefined: no driver of that name has registered. */
  get(name: string): CsiDriver | undefined
}

export interface CsiDriversDeps {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  readonly nodeName: string
  /** The node's folder: plugins register in `plugins_registry` of it. */
  readonly dataDir: string
  /** A driver has come. */
  changed(): void
}

/** Follows registrations until `signal` aborts. */
export function followDrivers(deps: CsiDriversDeps, signal: AbortSignal): CsiDrivers {
  const { client, nodeName } = deps
  const drivers = new Map<string, CsiDriver>()
  const handler = {
    async register({ type, name, supportedVersions }: PluginHandlerInfo, endpoint: string) {
      if (type !== 'CSIPlugin') throw new Error(`plugins of type ${JSON.stringify(type)} are not known by this node`)
      if (!supportedVersions.some(each => /^v?1(\.|$)/.test(each)))
        throw new Error(`CSI ${supportedVersions.join(', ') || 'of no version'} is not supported, but 1 is`)
      const driver = await openDriver(name, endpoint)
      try {
        await addDriver(client, nodeName, name, driver.info)
      } catch (error) {
        driver.close()
        throw error
      }
      drivers.get(name)?.close()
      drivers.set(name, driver)
      deps.changed()
    },
    async deregister(name: string) {
      drivers.get(name)?.close()
      drivers.delete(name)
      try {
        await removeDriver(client, nodeName, name)
      } catch (error) {
        deps.logger.warn({ err: error, driver: name }, 'a CSI driver that has gone could not be signed off')
      }
    },
  }
  followPlugins(join(deps.dataDir, 'plugins_registry'), handler, deps, signal)
  const close = () => {
    for (const driver of drivers.values()) driver.close()
  }
  signal.addEventListener('abort', close, { once: true })
  return { get: name => drivers.get(name) }
}

type PluginHandlerInfo = Parameters<Parameters<typeof followPlugins>[1]['register']>[0]
