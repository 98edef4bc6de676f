/** Whether anything that this runtime started still runs, whoever asks. */
import { alive } from './proc.ts'
import { containerFolders, readPids, sandboxFolders } from './state.ts'

/** Of the pods below this folder. */
export const runsContainers = (podsDirectory: string): boolean =>
  sandboxFolders(podsDirectory)
    .flatMap(containerFolders)
    .some(folder => {
      const pids = readPids(folder)
      return pids !== undefined && (alive(pids.main) || alive(pids.supervisor))
    })
