import type { Pod } from '../../generated/types/core-v1.ts'

/** Whether a pod has come to its end, by the status that it shows: nothing of it runs, or will run again. */
export const isFinished = ({ status }: Pick<Pod, 'status'>): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed'
