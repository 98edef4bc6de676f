/**
 * Shims of a containerd of our own that it has lost: one that was killed while it started a container leaves a shim with
 * nothing in it, which the next one does not find. A shim is started after its bundle was made, so one without is lost.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ShimsOf {
  readonly socket: string
  /** containerd's state folder. */
  readonly state: string
}

/** Where bundles are, by namespace and id. */
export const BUNDLES = 'io.containerd.runtime.v2.task'

/** The arguments of a process; none when it is gone. */
function argumentsOf(proc: string, pid: string): string[] {
  try {
    return readFileSync(join(proc, pid, 'cmdline'), 'utf8').split('\0')
  } catch {
    return []
  }
}

/** pids of this containerd's shims; with `lost`, of those without a bundle. */
export function findShims({ socket, state }: ShimsOf, lost: boolean, proc = '/proc'): number[] {
  return readdirSync(proc)
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      const words = argumentsOf(proc, pid)
      const after = (flag: string) => words[words.indexOf(flag) + 1] ?? ''
      if (!/\/containerd-shim[^/]*$/.test(words[0] ?? '') || !words.includes('-address') || !words.includes('-id'))
        return false
      if (after('-address') !== socket) return false
      return !lost || !existsSync(join(state, BUNDLES, after('-namespace'), after('-id')))
    })
    .map(Number)
}

/** Ends those without a bundle. */
export const endLostShims = (shims: ShimsOf): void => kill(findShims(shims, true))

/** Kills processes, of which some may be gone already. */
export function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Gone already.
    }
  }
}
