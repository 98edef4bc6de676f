/**
 * Plugins register by a socket in a folder of the node (the kubelet's plugin registration): the node finds it, asks who
 * is there, takes the plugin in, and tells it so. When the socket goes, the plugin has gone.
 */
import { type FSWatcher, mkdirSync, readdirSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import { createBackOff } from '../../client/back-off.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import { openChannel } from '../../lib/grpc/channel.ts'
import type { Logger } from '../../lib/log.ts'
import { empty, type PluginInfo, pluginInfo, registrationStatus } from './messages.ts'

const SERVICE = 'pluginregistration.Registration'
const TIMEOUT_MS = 10_000
const RETRY_MS = 500
const RETRY_MAX_MS = 120_000

export interface PluginHandler {
  /** Takes a plugin in; `endpoint` is the socket at which it serves. Rejects with the reason where it cannot be. */
  register(info: PluginInfo, endpoint: string): Promise<void>
  /** The plugin of that name has gone. */
  deregister(name: string): Promise<void>
}

/** Sockets in a folder, which need not exist. */
function sockets(directory: string): Map<string, string> {
  const found = new Map<string, string>()
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (!entry.isSocket() || entry.name.startsWith('.')) continue
      const path = join(directory, entry.name)
      const { ino, ctimeMs } = statSync(path)
      found.set(path, `${ino} ${ctimeMs}`)
    }
  } catch {
    // It is made with the first plugin, or one has gone just now.
  }
  return found
}

/** Follows the folder until `signal` aborts. */
export function followPlugins(
  directory: string,
  handler: PluginHandler,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): void {
  /** By path: which socket it was, and what ends the care for it. */
  const known = new Map<string, { readonly identity: string; readonly abort: AbortController }>()

  async function care(path: string, scope: AbortSignal) {
    const backOff = createBackOff(RETRY_MS, RETRY_MAX_MS)
    while (!scope.aborted) {
      try {
        return await introduce(path, scope)
      } catch (error) {
        if (scope.aborted) return
        logger.warn({ err: error, socket: path }, 'a plugin could not be registered; trying again')
        await sleep(clock, backOff.next(), scope)
      }
    }
  }
  async function introduce(path: string, scope: AbortSignal) {
    const channel = await openChannel(path)
    try {
      const options = { timeoutMs: TIMEOUT_MS, signal: scope }
      const info = await channel.call(SERVICE, 'GetInfo', [empty, pluginInfo], {}, options)
      const tell = (status: { pluginRegistered: boolean; error: string }) =>
        channel.call(SERVICE, 'NotifyRegistrationStatus', [registrationStatus, empty], status, options)
      try {
        await handler.register(info, info.endpoint || path)
      } catch (error) {
        await tell({ pluginRegistered: false, error: (error as Error).message }).catch(() => {})
        throw error
      }
      scope.addEventListener('abort', () => signal.aborted || void handler.deregister(info.name), { once: true })
      logger.info({ plugin: info.name, type: info.type }, 'a plugin is registered')
      await tell({ pluginRegistered: true, error: '' })
    } finally {
      channel.close()
    }
  }
  function look() {
    if (signal.aborted) return
    const there = sockets(directory)
    for (const [path, { identity, abort }] of known) {
      if (there.get(path) === identity) continue
      known.delete(path)
      abort.abort()
    }
    for (const [path, identity] of there) {
      if (known.has(path)) continue
      const abort = new AbortController()
      known.set(path, { identity, abort })
      void care(path, AbortSignal.any([abort.signal, signal]))
    }
  }

  mkdirSync(directory, { recursive: true, mode: 0o750 })
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(directory, { persistent: false }, look)
    watcher.on('error', error => logger.warn({ err: error }, 'plugins are not followed any more'))
  } catch (error) {
    logger.warn({ err: error, directory }, 'plugins are not followed')
  }
  signal.addEventListener('abort', () => watcher?.close(), { once: true })
  look()
}
