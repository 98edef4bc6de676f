/** Tells a process from a later one that was given the same pid. */
import { readFileSync } from 'node:fs'

/**
 * The fields of a line of /proc/PID/stat that follow the process' name, which may hold anything (proc(5)): [0] is its
 * state, [19] when it started.
 */
export const statFields = (line: string): string[] => line.slice(line.lastIndexOf(')') + 2).split(' ')

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
    const fields = statFields(readFileSync(`/proc/${pid}/stat`, 'latin1'))
    return fields[0] === 'Z' ? undefined : (fields[19] ?? '')
  } catch {
    return ''
  }
}
