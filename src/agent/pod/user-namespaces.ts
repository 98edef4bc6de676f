/**
 * Which ids of the machine the users of a pod are (`hostUsers: false`, KEP-127): each such pod has 65,536 of its own,
 * which no other pod and no user of the machine has. What a pod has is noted in its folder, for a later life of the node.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { IdMapping } from '../../lib/user-namespace.ts'
import { podFolders } from './folders.ts'

const LENGTH = 65_536
/** Blocks of ids that can be given, from the second on: the first is the machine's own. */
const BLOCKS = 65_535

export interface UserNamespaces {
  /** The pod's ids; the same ones again for the same pod. Throws where none are left. */
  take(uid: string): readonly IdMapping[]
  /** The pod is gone, and its folder with it. */
  give(uid: string): void
}

/** Over the folder of pods. */
export function createUserNamespaces(podsDirectory: string): UserNamespaces {
  let taken: Map<string, number> | undefined
  const note = (uid: string) => join(podsDirectory, uid, 'user-namespace')
  const known = () => {
    if (taken) return taken
    taken = new Map()
    for (const uid of podFolders(podsDirectory)) {
      const block = read(note(uid))
      if (block !== undefined) taken.set(uid, block)
    }
    return taken
  }
  return {
    take(uid) {
      const all = known()
      let block = all.get(uid)
      if (block === undefined) {
        const used = new Set(all.values())
        block = 1
        while (used.has(block)) block++
        if (block > BLOCKS) throw new Error('no ids are left for a further pod with users of its own')
        mkdirSync(join(podsDirectory, uid), { recursive: true, mode: 0o750 })
        writeFileSync(note(uid), String(block))
        all.set(uid, block)
      }
      return [{ hostId: block * LENGTH, containerId: 0, length: LENGTH }]
    },
    give: uid => void taken?.delete(uid),
  }
}

function read(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined
  } catch {
    return undefined
  }
}
