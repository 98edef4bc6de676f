/** Image archives that wait in a folder of the node: each is imported once, before the node takes pods. */
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readJsonFile, writeFileAtomic } from '../../lib/atomic-file.ts'
import type { Logger } from '../../lib/log.ts'
import type { NodeImages } from './images.ts'

/** The file that says which archives of a folder were imported: without it, all are again. */
export const importedNote = (folder: string): string => join(folder, '.imported.json')

/** What tells a file from another one of its name. */
type Known = Record<string, string>

function archives(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter(name => /\.tar(\.gz|\.zst)?$|\.tgz$/.test(name))
      .sort()
  } catch {
    return []
  }
}

/** Imports what is new in `folder`, for the runtime of pods without a class. Failures are told in the log. */
export async function preloadImages(folder: string, images: NodeImages, logger: Logger): Promise<void> {
  const names = archives(folder)
  if (names.length === 0) return
  const known = readJsonFile<Known>(importedNote(folder)) ?? {}
  const now: Known = {}
  for (const name of names) {
    const { size, mtimeMs, ino } = statSync(join(folder, name))
    const mark = `${size} ${mtimeMs} ${ino}`
    if (known[name] !== mark) {
      try {
        const imported = await images.importArchive('', createReadStream(join(folder, name)))
        logger.info({ archive: name, images: imported }, 'images were preloaded')
      } catch (error) {
        logger.warn({ err: error, archive: name }, 'images could not be preloaded')
        continue
      }
    }
    now[name] = mark
  }
  writeFileAtomic(importedNote(folder), JSON.stringify(now))
}
