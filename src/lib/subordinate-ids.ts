/**
 * Subordinate ids: users and groups of the machine that an ordinary user may have beside himself in a user namespace, as
 * the machine's administrator allows (subuid(5), newuidmap(1)).
 */
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { programOutput } from './program-output.ts'
import { systemProgram } from './system-program.ts'
import { type IdMapping, type IdMaps, startInNamespace } from './user-namespace.ts'

/** Ids of a range as distributions give it to each new user. */
const USUAL = 65_536
const FIRST = 100_000

interface Range {
  readonly first: number
  readonly length: number
}

/** The first and the last id of a range, as usermod(8) takes them: `100000-165535`. */
export const formatRange = ({ first, length }: Range): string => `${first}-${first + length - 1}`

/** What an administrator does so that a user has these subordinate ids; without `uids` the usual ones. */
export function giveIds(user: string, uids: readonly Range[] = [{ first: FIRST, length: USUAL }], gids = uids): string {
  const words = (flag: string, ranges: readonly Range[]) =>
    ranges.map(range => `${flag} ${formatRange(range)} `).join('')
  return `usermod ${words('--add-subuids', uids)}${words('--add-subgids', gids)}${user}`
}

/** Why this user has none, and what an administrator can do about it. */
export interface NoIds {
  readonly missing: string
  readonly remedy?: string
}

interface Line extends Range {
  readonly user: string
}

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Lines of such a file; what is not `user:first:count` is passed over. */
const linesOf = (text: string): Line[] =>
  text.split('\n').flatMap(line => {
    const [, user, first, length] = /^([^:#]+):(\d+):(\d+)\s*$/.exec(line) ?? []
    return user && Number(length) > 0 ? [{ user, first: Number(first), length: Number(length) }] : []
  })

/** The user's own id as that of root, and his ranges behind it, in their order. */
function mappingsOf(own: number, ranges: readonly Line[]): IdMapping[] {
  let containerId = 1
  const result: IdMapping[] = [{ containerId: 0, hostId: own, length: 1 }]
  for (const { first, length } of ranges) {
    result.push({ containerId, hostId: first, length })
    containerId += length
  }
  return result
}

export interface IdsOfUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** Contents of /etc/subuid and /etc/subgid. */
  readonly subuid: string
  readonly subgid: string
}

/** The ids of a user by the machine's two files. */
export function idsOf({ name, uid, gid, subuid, subgid }: IdsOfUser): IdMaps | NoIds {
  const users = linesOf(subuid)
  const groups = linesOf(subgid)
  const mine = ({ user }: Line) => user === name || user === String(uid)
  const lacking = !users.some(mine) ? '/etc/subuid' : !groups.some(mine) ? '/etc/subgid' : undefined
  if (!lacking) return { uids: mappingsOf(uid, users.filter(mine)), gids: mappingsOf(gid, groups.filter(mine)) }
  const free = Math.max(FIRST, ...[...users, ...groups].map(({ first, length }) => first + length))
  return { missing: `${lacking} gives ${name} none`, remedy: giveIds(name, [{ first: free, length: USUAL }]) }
}

const PROGRAMS = ['newuidmap', 'newgidmap'] as const

/** Those that this process' user has, found by trying; some 20 ms. */
export async function findSubordinateIds(): Promise<IdMaps | NoIds> {
  if (!PROGRAMS.every(systemProgram))
    return { missing: `${PROGRAMS.join(' and ')} are not there`, remedy: 'apt install uidmap' }
  let user: { readonly username: string; readonly uid: number; readonly gid: number }
  try {
    user = userInfo({ encoding: 'utf8' })
  } catch {
    return { missing: `the user ${process.getuid?.()} is not in /etc/passwd` }
  }
  const { username, uid, gid } = user
  const found = idsOf({ name: username, uid, gid, subuid: read('/etc/subuid'), subgid: read('/etc/subgid') })
  if ('missing' in found) return found
  try {
    const trial = await startAsRoot(found, [], ['true'])
    trial.stdin.end()
    return found
  } catch (error) {
    return { missing: (error as Error).message }
  }
}

/** Gives a process of this user, in a user namespace without ids, those. Rejects with what the system's program says. */
async function setIds(pid: number, maps: IdMaps): Promise<void> {
  for (const [program, mappings] of [
    ['newuidmap', maps.uids],
    ['newgidmap', maps.gids],
  ] as const) {
    const args = mappings.flatMap(({ containerId, hostId, length }) => [containerId, hostId, length].map(String))
    await programOutput(program, [String(pid), ...args]).catch((error: Error & { stderr?: string }) => {
      throw new Error(`${program} refuses: ${error.stderr?.trim() || error.message}`)
    })
  }
}

/**
 * Starts `words` as root of new namespaces in which this user has `maps`, or is alone without them; `flags` are further
 * ones of unshare(1).
 */
export const startAsRoot = (maps: IdMaps | undefined, flags: readonly string[], words: readonly string[]) =>
  maps
    ? startInNamespace(['--user', ...flags], words, pid => setIds(pid, maps))
    : startInNamespace(['--user', '--map-root-user', ...flags], words, () => {})
