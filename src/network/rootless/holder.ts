/**
 * The namespace of a cluster without root: one user, network and mount namespace, kept by a process that sleeps
 * (`sleep infinity`), so that pods and their network outlive Tutti. Inside, the user is root over that network and
 * everything is as on a machine of its own; outside it has no rights at all.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readJsonFile, writeFileAtomic } from '../../lib/atomic-file.ts'
import { processStartTime } from '../../lib/process-start.ts'
import { startAsRoot } from '../../lib/subordinate-ids.ts'
import { type IdMapping, type IdMaps, parseMappings } from '../../lib/user-namespace.ts'

export interface Holder {
  readonly pid: number
  /** Field 22 of /proc/PID/stat: with the pid it names a process for good. */
  readonly startTime: string
}

const stateFile = (dataDir: string) => join(dataDir, 'network', 'holder.json')

/** The holder that runs; undefined when there is none. */
export function findHolder(dataDir: string): Holder | undefined {
  const holder = readJsonFile<Holder>(stateFile(dataDir))
  return holder && processStartTime(holder.pid) === holder.startTime ? holder : undefined
}

/** The users that it has. */
export const usersOf = ({ pid }: Holder): IdMapping[] => parseMappings(readFileSync(`/proc/${pid}/uid_map`, 'utf8'))

const FLAGS = ['--net', '--mount', '--propagation', 'private']
const BEFORE_SLEEP = 'ip link set lo up && echo ready && exec sleep infinity </dev/null >/dev/null 2>&1'

/**
 * Finds the holder, or starts one in which this user has `maps`, or is alone. Rejects with what the system said when it
 * does not allow it.
 */
export async function ensureHolder(dataDir: string, maps?: IdMaps): Promise<Holder> {
  const standing = findHolder(dataDir)
  if (standing) return standing
  const failed = (why: string) => new Error(`the namespace of the cluster could not be made: ${why}`)
  const child = await startAsRoot(maps, FLAGS, ['sh', '-c', BEFORE_SLEEP]).catch(error => {
    throw failed(error.message)
  })
  let said = ''
  let complaint = ''
  await new Promise<void>((resolve, reject) => {
    child.once('exit', code => reject(failed(complaint.trim() || `exit code ${code}`)))
    child.stderr.on('data', text => (complaint += text))
    child.stdout.setEncoding('utf8').on('data', text => {
      said += text
      if (said.includes('ready')) resolve()
    })
  })
  child.removeAllListeners()
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
  child.unref()
  // unshare and sh have become sleep: the pid stays.
  const holder = { pid: child.pid!, startTime: processStartTime(child.pid!)! }
  writeFileAtomic(stateFile(dataDir), JSON.stringify(holder))
  return holder
}

/** Ends the holder. The namespace goes when the last process in it has ended. */
export function endHolder(dataDir: string): void {
  const holder = findHolder(dataDir)
  if (holder) process.kill(holder.pid, 'SIGKILL')
  rmSync(stateFile(dataDir), { force: true })
}

/** What to put before a command so that it runs inside. */
export const enterHolder = ({ pid }: Holder): string[] => [
  'nsenter',
  `--target=${pid}`,
  '--user',
  '--net',
  '--mount',
  '--preserve-credentials',
  '--',
]
