/** What a data directory's program may have left running on this machine. */
import { join } from 'node:path'
import { hasLivingPods } from '../agent/living.ts'

/** Pods of a cluster, or of a node that joined one, live, whether its program does or not. */
export const hasWorkloads = (dataDir: string): boolean => hasLivingPods(join(dataDir, 'pods'))
