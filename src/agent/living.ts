/** Whether pods of a node live, without the node's program: as the kernel tells, whatever runs them. */
import { membersOf } from './cgroups/members.ts'
import { podFolders } from './pod/folders.ts'
import { runsContainers } from './runtimes/process/running.ts'

/** Something of a pod that has its folder below this one runs. Some ten ms. */
export const hasLivingPods = (podsDirectory: string): boolean =>
  // Processes have no groups where none can be made.
  membersOf(podFolders(podsDirectory)).length > 0 || runsContainers(podsDirectory)
