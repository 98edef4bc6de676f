/** Who is in control groups of which only a part of the name is known: whoever made them, wherever they are. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { statFields } from '../../lib/process-start.ts'

/** systemd writes dashes of a name as underscores. */
const dashed = (text: string) => text.replaceAll('_', '-')

/**
 * pids of the living whose groups have one of these ids in their path, such as uids of pods or ids of containers; none
 * where the machine does not tell. Reads one file a process.
 */
export function membersOf(ids: Iterable<string>, proc = '/proc'): number[] {
  const wanted = [...ids].map(dashed)
  if (wanted.length === 0) return []
  const isOne = (pid: string) => {
    try {
      const groups = dashed(readFileSync(join(proc, pid, 'cgroup'), 'latin1'))
      // A zombie is in its group still, for ever where nobody reaps it.
      return (
        wanted.some(id => groups.includes(id)) && statFields(readFileSync(join(proc, pid, 'stat'), 'latin1'))[0] !== 'Z'
      )
    } catch {
      // It has ended.
      return false
    }
  }
  try {
    return readdirSync(proc)
      .filter(name => /^\d+$/.test(name) && isOne(name))
      .map(Number)
  } catch {
    return []
  }
}
