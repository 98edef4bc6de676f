/** User namespaces: which ids of the machine users inside have, and the start of a program in a new one. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'

/** A stretch of ids of a user namespace. */
export interface IdMapping {
  readonly hostId: number
  readonly containerId: number
  readonly length: number
}

/** Ids of users and of groups. */
export interface IdMaps {
  readonly uids: readonly IdMapping[]
  readonly gids: readonly IdMapping[]
}

/** Mappings as the files of the kernel have them (user_namespaces(7)). */
export const formatMappings = (mappings: readonly IdMapping[]): string =>
  mappings.map(({ containerId, hostId, length }) => `${containerId} ${hostId} ${length}\n`).join('')

/** Reads what `/proc/PID/uid_map` holds. */
export const parseMappings = (text: string): IdMapping[] =>
  text
    .trim()
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => {
      const [containerId = 0, hostId = 0, length = 0] = line.trim().split(/\s+/).map(Number)
      return { containerId, hostId, length }
    })

const ALL = { containerId: 0, hostId: 0, length: 4_294_967_295 }

let own: IdMaps | undefined

/** The ids that there are for this process: all of them where the system does not tell. They never change. */
export function ownIds(): IdMaps {
  const read = (file: string) => {
    try {
      return parseMappings(readFileSync(`/proc/self/${file}`, 'utf8'))
    } catch {
      return [ALL]
    }
  }
  return (own ??= { uids: read('uid_map'), gids: read('gid_map') })
}

/** There is no user but root: a user namespace without subordinate ids. */
export const isOneUser = ({ uids }: IdMaps): boolean =>
  uids.length === 1 && uids[0]!.containerId === 0 && uids[0]!.length === 1

/** Not the machine's own ids, but those of a namespace. */
export const isMapped = ({ uids }: IdMaps): boolean => !holds(uids, [ALL])

/** This process is not root of the machine, but at most of a user namespace. */
export const inUserNamespace = (): boolean => isMapped(ownIds())

/** Whether there is such an id. */
export const hasId = (mappings: readonly IdMapping[], id: number): boolean =>
  mappings.some(({ containerId, length }) => containerId <= id && id < containerId + length)

/** Whether every id of `wanted` is that of the machine which it is in `mappings`. */
export const holds = (mappings: readonly IdMapping[], wanted: readonly IdMapping[]): boolean =>
  wanted.every(({ containerId, hostId, length }) =>
    mappings.some(
      each =>
        each.hostId - each.containerId === hostId - containerId &&
        each.containerId <= containerId &&
        containerId + length <= each.containerId + each.length,
    ),
  )

/** Nobody is root in a namespace whose ids are not set: rights come with what is executed after that. */
const WAIT = 'echo; read -r _; exec "$@"'

/**
 * Starts `words` in new namespaces (`--user` and other flags of unshare(1)) as soon as `setIds` has given it its ids.
 * The input of the program is what is written to its `stdin`. Rejects with what unshare or `setIds` says.
 */
export async function startInNamespace(
  flags: readonly string[],
  words: readonly string[],
  setIds: (pid: number) => void | Promise<void>,
): Promise<ChildProcessByStdio<Writable, Readable, Readable>> {
  const child = spawn('unshare', [...flags, 'sh', '-c', WAIT, 'sh', ...words], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let problem = ''
  const listen = (text: string) => void (problem += text)
  child.stderr.setEncoding('utf8').on('data', listen)
  child.stdin.on('error', () => {})
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('close', () => reject(new Error(`unshare ${flags.join(' ')} failed: ${problem.trim()}`)))
  })
  try {
    await Promise.race([new Promise(resolve => child.stdout.once('data', resolve)), ended])
    child.stderr.off('data', listen)
    await setIds(child.pid!)
    child.stdin.write('\n')
    return child
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    ended.catch(() => {})
  }
}
