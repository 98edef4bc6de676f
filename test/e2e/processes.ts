/** Processes of pods as the machine sees them: pods have process ids of their own. */
import { readdirSync, readFileSync } from 'node:fs'

/** The machine's pids of processes whose environment holds `NAME=value` and whose command line contains `part`. */
export function processesWith(name: string, value: string, part = ''): number[] {
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .filter(entry => {
      try {
        const variables = readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0')
        return variables.includes(`${name}=${value}`) && readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(part)
      } catch {
        return false
      }
    })
    .map(Number)
}
