/**
 * Who owns the kernel's tables of a network namespace: one cluster. A second one on the same machine takes another mode.
 * The claim is a file that a reboot removes, as it does the tables.
 */
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The namespace that this process is in, as a word: `4026531840`. */
const namespaceId = () => /\[(\d+)\]/.exec(readlinkSync('/proc/self/ns/net'))?.[1] ?? 'net'

export interface Claims {
  /** Data directory of the cluster that owns the namespace; undefined when it is free or ours. */
  owner(dataDir: string): string | undefined
  claim(dataDir: string): void
  /** Gives it back; harmless when it is not ours. */
  release(dataDir: string): void
}

/** Claims are kept under `folder`; a data directory that is gone owns nothing. */
export function networkClaims(folder = '/run/tutti'): Claims {
  const file = join(folder, `network-${namespaceId()}`)
  const read = () => {
    try {
      return readFileSync(file, 'utf8').trim()
    } catch {
      return undefined
    }
  }
  return {
    owner(dataDir) {
      const known = read()
      return known && known !== dataDir && existsSync(known) ? known : undefined
    },
    claim(dataDir) {
      mkdirSync(folder, { recursive: true, mode: 0o755 })
      writeFileSync(file, `${dataDir}\n`)
    },
    release(dataDir) {
      if (read() !== dataDir) return
      rmSync(file, { force: true })
      try {
        rmdirSync(folder)
      } catch {
        // Other clusters of this machine have something in it.
      }
    },
  }
}
