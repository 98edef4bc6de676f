/** The name of this machine's node: as it was said, else as it was before, else after the machine. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { writeFileAtomic } from '../lib/atomic-file.ts'

const fileOf = (dataDir: string) => join(dataDir, 'node-name')

/** Lower-case, as node names are. */
const machineName = () =>
  hostname()
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '') || 'node'

/** A name that was said is kept: the next start may not say it again. */
export function nodeNameFor(dataDir: string, wanted?: string): string {
  if (wanted) {
    writeFileAtomic(fileOf(dataDir), wanted)
    return wanted
  }
  try {
    return readFileSync(fileOf(dataDir), 'utf8').trim()
  } catch {
    return machineName()
  }
}
