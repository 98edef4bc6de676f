/** What machines are made of is made once and kept, by a name that follows from everything it is made from. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun } from './tools.ts'

const folder = join(import.meta.dirname, '../../node_modules/.cache/machine')

/**
 * The folder of `name` made from `sources`; `make` fills an empty one, which is put in place whole. What was made from
 * other sources is thrown away.
 */
export async function cached(
  name: string,
  sources: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const sum = createHash('sha256').update(sources.join('\0')).digest('hex').slice(0, 12)
  const place = join(folder, name, sum)
  if (existsSync(place)) return place
  // What ended half-way may have left file systems of this machine mounted in there.
  await mustRun('rm', ['-rf', '--one-file-system', join(folder, name)])
  mkdirSync(join(folder, name), { recursive: true })
  const temporary = mkdtempSync(join(folder, name, 'making-'))
  await make(temporary)
  renameSync(temporary, place)
  return place
}
