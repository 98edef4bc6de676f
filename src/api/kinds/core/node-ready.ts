import type { Node } from '../../generated/types/core-v1.ts'

/** Whether a node says that it is well. */
export const isNodeReady = ({ status }: Node): boolean =>
  status?.conditions?.some(each => each.type === 'Ready' && each.status === 'True') ?? false
