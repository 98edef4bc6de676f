/** A network namespace that a user namespace owns: its root, which is nobody on the machine, may set it up. */
import { writeFileSync } from 'node:fs'
import { mount } from './mounts.ts'
import { formatMappings, type IdMapping, startInNamespace } from './user-namespace.ts'

/**
 * Makes one in a new user namespace whose ids, of users and groups alike, are `mappings`, and mounts it at `path`, an
 * empty file. Needs root. Rejects with what the program says.
 */
export async function makeOwnedNetns(path: string, mappings: readonly IdMapping[]): Promise<void> {
  const holder = await startInNamespace(['--user', '--net'], ['cat'], pid => {
    for (const file of ['uid_map', 'gid_map']) writeFileSync(`/proc/${pid}/${file}`, formatMappings(mappings))
  })
  try {
    await mount('--bind', `/proc/${holder.pid}/ns/net`, path)
  } finally {
    holder.stdin.end()
  }
}
