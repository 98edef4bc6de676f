/**
 * The namespace of a cluster without root: one user, network and mount namespace, kept by a process that sleeps
 * (`sleep infinity`), so that pods and their network outlive Tutti. Inside, the user is root over that network and
 * everything is as on a machine of its own; outside it has no rights at all.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { processStartTime } from '../../lib/process-start.ts'

export interface Holder {
  readonly pid: number
  /** Field 22 of /proc/PID/stat: with the pid it names a process for good. */
  readonly startTime: string
}

const stateFile = (dataDir: string) => join(dataDir, 'network', 'holder.json')

/** The holder that runs; undefined when there is none. */
export function findHolder(dataDir: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(stateFile(dataDir), 'utf8')) as Holder
    return processStartTime(holder.pid) === holder.startTime ? holder : undefined
  } catch {
    return undefined
  }
}

const BEFORE_SLEEP = 'ip link set lo up && echo ready && exec sleep infinity >/dev/null 2>&1'

/** Finds the holder or starts one. Rejects with what the system said when it does not allow it. */
export async function ensureHolder(dataDir: string): Promise<Holder> {
  const standing = findHolder(dataDir)
  if (standing) return standing
  const child = spawn(
    'unshare',
    ['--user', '--map-root-user', '--net', '--mount', '--propagation', 'private', 'sh', '-c', BEFORE_SLEEP],
    { detached: true, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let said = ''
  let complaint = ''
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) =>
      reject(new Error(`the namespace of the cluster could not be made: ${complaint.trim() || why}`))
    child.once('error', error => fail(error.message))
    child.once('exit', code => fail(`exit code ${code}`))
    child.stderr.setEncoding('utf8').on('data', text => (complaint += text))
    child.stdout.setEncoding('utf8').on('data', text => {
      said += text
      if (said.includes('ready')) resolve()
    })
  })
  child.removeAllListeners()
  child.stdout.destroy()
  child.stderr.destroy()
  child.unref()
  // unshare and sh have become sleep: the pid stays.
  const holder = { pid: child.pid!, startTime: processStartTime(child.pid!)! }
  mkdirSync(join(dataDir, 'network'), { recursive: true, mode: 0o700 })
  writeFileSync(`${stateFile(dataDir)}.new`, JSON.stringify(holder), { mode: 0o600 })
  renameSync(`${stateFile(dataDir)}.new`, stateFile(dataDir))
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
