/** A network namespace that a user namespace owns: its root, which is nobody on the machine, may set it up. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mount } from './mounts.ts'

/** A stretch of ids of a user namespace. */
export interface IdMapping {
  readonly hostId: number
  readonly containerId: number
  readonly length: number
}

/** Keeps a process in the new namespaces until its input ends. */
const WAIT = 'echo; read -r _'

/**
 * Makes one in a new user namespace whose ids, of users and groups alike, are `mappings`, and mounts it at `path`, an
 * empty file. Needs root. Rejects with what the program says.
 */
export async function makeOwnedNetns(path: string, mappings: readonly IdMapping[]): Promise<void> {
  const child = spawn('unshare', ['--user', '--net', 'sh', '-c', WAIT], { stdio: ['pipe', 'pipe', 'pipe'] })
  let problem = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (problem += text))
  child.stdin.on('error', () => {})
  const ended = new Promise<never>((_, reject) => {
    child.on('error', reject)
    child.on('close', () => reject(new Error(`unshare --user --net failed: ${problem.trim()}`)))
  })
  try {
    await Promise.race([new Promise(resolve => child.stdout.once('data', resolve)), ended])
    const lines = mappings.map(({ containerId, hostId, length }) => `${containerId} ${hostId} ${length}\n`).join('')
    for (const file of ['uid_map', 'gid_map']) writeFileSync(`/proc/${child.pid}/${file}`, lines)
    await mount('--bind', `/proc/${child.pid}/ns/net`, path)
  } finally {
    ended.catch(() => {})
    child.stdin.end()
  }
}
