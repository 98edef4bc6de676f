/**
 * Who owns the kernel's tables of a network namespace: one cluster. A second one on the same machine takes another mode,
 * until nothing of the first lives any more. The claim is a file that a reboot removes, as it does the tables.
 */
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { processStartTime } from '../lib/process-start.ts'
import { leaveSharedFolder, SHARED_FOLDER } from '../lib/shared-folder.ts'

/** The namespace that this process is in, as a word: `4026531840`. */
const namespaceId = () => /\[(\d+)\]/.exec(readlinkSync('/proc/self/ns/net'))?.[1] ?? 'net'

export interface Owner {
  readonly dataDir: string
  /** Its program does; otherwise what it left running is there alone. */
  readonly runs: boolean
}

export interface Claims {
  /**
   * Who owns the namespace; undefined when it is free or ours. `hasWorkloads` is asked about a cluster whose program is
   * gone: pods that go on without it keep their network.
   */
  owner(dataDir: string, hasWorkloads: (dataDir: string) => boolean): Owner | undefined
  /** Takes it for this program; whoever had it has it no more. */
  claim(dataDir: string): void
  /** Gives it back; harmless when it is not ours. */
  release(dataDir: string): void
}

/** Claims are kept under `folder`; a data directory that is gone owns nothing. */
export function networkClaims(folder = SHARED_FOLDER): Claims {
  const file = join(folder, `network-${namespaceId()}`)
  /** The data directory, then pid and start time of the program. */
  const read = () => {
    try {
      const [dataDir = '', program] = readFileSync(file, 'utf8').split('\n')
      const [pid, startTime] = program?.split(' ') ?? []
      // Earlier versions did not note it.
      return { dataDir, runs: !pid || processStartTime(Number(pid)) === startTime }
    } catch {
      return undefined
    }
  }
  return {
    owner(dataDir, hasWorkloads) {
      const known = read()
      if (!known || known.dataDir === dataDir || !existsSync(known.dataDir)) return undefined
      return known.runs || hasWorkloads(known.dataDir) ? known : undefined
    },
    claim(dataDir) {
      mkdirSync(folder, { recursive: true, mode: 0o755 })
      writeFileSync(file, `${dataDir}\n${process.pid} ${processStartTime(process.pid)}\n`)
    },
    release(dataDir) {
      if (read()?.dataDir !== dataDir) return
      rmSync(file, { force: true })
      leaveSharedFolder(folder)
    },
  }
}
