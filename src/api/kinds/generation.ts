import type { KubeObject } from '../machinery/object.ts'

/** Counts a change that is not one of the spec alone. Sets, in place, the generation after that of `old`. */
export function raiseGeneration(next: KubeObject, old: KubeObject): void {
  next.metadata = { ...next.metadata, generation: (old.metadata?.generation ?? 0) + 1 }
}
