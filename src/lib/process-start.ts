/** Tells a process from a later one that was given the same pid. */
import { readFileSync } from 'node:fs'

/**
 * When a process started, in clock ticks since boot as the kernel counts (field 22 of /proc/PID/stat, proc(5)); ''
 * where it cannot be known; undefined when there is no such process, or only what is left of one (a zombie).
 */
export function processStartTime(pid: number): string | undefined {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : (fields[19] ?? '')
  } catch {
    return ''
  }
}
