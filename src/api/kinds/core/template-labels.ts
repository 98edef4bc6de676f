import type { PodTemplateSpec } from '../../generated/types/core-v1.ts'
import type { KubeObject } from '../../machinery/object.ts'

interface Templated extends KubeObject {
  spec?: { template?: PodTemplateSpec }
}

/** An object without labels takes, in place, those of its pods: the very same, until one of the two is changed. */
export function adoptLabels(object: Templated): void {
  const labels = object.spec?.template?.metadata?.labels
  if (!labels || Object.keys(object.metadata?.labels ?? {}).length > 0) return
  object.metadata = { ...object.metadata, labels }
}
