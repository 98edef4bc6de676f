/**
 * What the containers of a pod share besides their network: System V and POSIX queues and memory (an IPC namespace),
 * /dev/shm, and the kernel's parameters of both. The namespace is kept by a mount on a file of the pod's folder, as no
 * process stands for the pod itself. Made when it is first needed: plain processes use the machine's.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from '../../../lib/run-tool.ts'
import { unmount, unmountSync } from '../overlay.ts'
import { RuntimeError, type SandboxConfig } from '../runtime.ts'
import type { Platform } from './platform.ts'

/** Bytes of /dev/shm, as container runtimes have it. */
const SHM_SIZE = '64m'

export interface PodIpc {
  /** File by which the namespace is entered. */
  readonly namespace: string
  /** Folder that is /dev/shm. */
  readonly shm: string
}

const placeOf = (folder: string): PodIpc => ({ namespace: join(folder, 'ipc'), shm: join(folder, 'shm') })

/** Below /proc/sys. A name of its own can have dots in it where a slash separates: `net/ipv4/conf/eth0.1/forwarding`. */
const sysctlFile = (name: string) => name.replace(/[./]/g, each => (each === '.' ? '/' : '.'))

/** The pod's shared memory; undefined while it has none. `folder` is the sandbox's. */
export const ipcOf = (folder: string): PodIpc | undefined => {
  const place = placeOf(folder)
  return existsSync(place.namespace) ? place : undefined
}

/** Makes and ends them; containers of a pod that start at once wait for one. */
export interface PodIpcs {
  /**
   * Makes it and sets `config.sysctls`; what stands is left. `folder` is the sandbox's. Rejects with `RuntimeError` that
   * names a parameter that the kernel does not take. Some 10 ms.
   */
  make(folder: string, config: Pick<SandboxConfig, 'netns' | 'sysctls' | 'hostIPC'>): Promise<PodIpc>
  /** Takes it away: once nothing of the pod runs, nothing is left of it. */
  end(folder: string): Promise<void>
}

export function createPodIpcs(platform: Pick<Platform, 'tools' | 'namespaces'>): PodIpcs {
  const making = new Map<string, Promise<PodIpc>>()
  return {
    async make(folder, config) {
      let work = making.get(folder)
      if (!work) {
        const known = ipcOf(folder)
        if (known) return known
        work = make(platform, folder, config).finally(() => making.delete(folder))
        making.set(folder, work)
      }
      return work
    },
    async end(folder) {
      await making.get(folder)?.catch(() => {})
      const place = ipcOf(folder)
      if (!place) return
      await Promise.all([unmount(place.namespace), unmount(place.shm)])
      rmSync(place.namespace, { force: true })
    },
  }
}

async function make(
  platform: Pick<Platform, 'tools' | 'namespaces'>,
  folder: string,
  config: Pick<SandboxConfig, 'netns' | 'sysctls' | 'hostIPC'>,
): Promise<PodIpc> {
  const { tools } = platform
  const place = placeOf(folder)
  const parameters = Object.entries(config.sysctls ?? {})
  for (const [name] of parameters) {
    const own = platform.namespaces && (name.startsWith('net.') ? config.netns : !config.hostIPC)
    if (own) continue
    const why = `the kernel parameter ${JSON.stringify(name)} cannot be set for this pod alone`
    throw new RuntimeError('NotSupported', `${why}: remove it, or hostNetwork and hostIPC`)
  }
  writeFileSync(place.namespace, '')
  mkdirSync(place.shm, { recursive: true })
  // Values are arguments: nothing of them is read by the shell.
  const script = `
    /bin/mount -n -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=${SHM_SIZE} pod-shm "$1" || exit 1
    shift
    while [ $# -gt 0 ]; do
      printf %s "$2" >"/proc/sys/$1" || exit 1
      shift 2
    done`
  const words = [
    ...(config.netns ? [tools.nsenter!, `--net=${config.netns}`] : []),
    ...[tools.unshare!, `--ipc=${place.namespace}`, '/bin/sh', '-c', script, 'sh', place.shm],
    ...parameters.flatMap(([name, value]) => [sysctlFile(name), value]),
  ]
  try {
    await runTool(words[0]!, words.slice(1))
  } catch (error) {
    removePodIpc(place)
    throw new RuntimeError(
      parameters.length > 0 ? 'InvalidSysctl' : 'CreatePodSandboxError',
      `cannot make the pod's namespaces: ${(error as Error).message}`,
      { cause: error },
    )
  }
  return place
}

function removePodIpc({ namespace, shm }: PodIpc) {
  unmountSync(namespace)
  unmountSync(shm)
  rmSync(namespace, { force: true })
}
