import type { Pod } from '../api/kinds/core/pod.ts'

/** Index of pods by the name of the node that they are bound to. */
export const podsByNode = (pod: Pod): readonly string[] => (pod.spec?.nodeName ? [pod.spec.nodeName] : [])
