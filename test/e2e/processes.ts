/** Processes of pods as the machine sees them: pods have process ids of their own. */
import { readdirSync, readFileSync } from 'node:fs'

/** The machine's pids of processes that fit by what their folder in /proc holds. */
function processesWhere(fits: (folder: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .filter(entry => {
      try {
        return fits(`/proc/${entry}`)
      } catch {
        return false
      }
    })
    .map(Number)
}

/** The machine's pids of processes whose environment holds `NAME=value` and whose command line contains `part`. */
export const processesWith = (name: string, value: string, part = ''): number[] =>
  processesWhere(folder => {
    const variables = readFileSync(`${folder}/environ`, 'utf8').split('\0')
    return variables.includes(`${name}=${value}`) && readFileSync(`${folder}/cmdline`, 'utf8').includes(part)
  })

/** The machine's pids of processes that are exactly this command. */
export const processesOf = (command: readonly string[]): number[] =>
  processesWhere(folder => readFileSync(`${folder}/cmdline`, 'latin1') === `${command.join('\0')}\0`)
