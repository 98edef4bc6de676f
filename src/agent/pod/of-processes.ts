import type { Pod } from '../../api/generated/types/core-v1.ts'
import { allContainers } from './object.ts'

/**
 * Whether a pod that names no RuntimeClass is one of processes: every container of it has the image `host`, which stands
 * for the machine's own files and is no container image. One that mixes them runs as containers, and cannot.
 */
export const isOfProcesses = (pod: Pod): boolean => allContainers(pod).every(each => each.image === 'host')
