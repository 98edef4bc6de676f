import { readdirSync } from 'node:fs'

/** uids of the pods that have a folder below this one; none where it is not made yet. */
export function podFolders(podsDirectory: string): string[] {
  try {
    return readdirSync(podsDirectory)
  } catch {
    return []
  }
}
