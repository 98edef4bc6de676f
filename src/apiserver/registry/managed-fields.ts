import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { WriteContext } from './registry.ts'

export function trackFields(
  kind: Kind,
  next: KubeObject,
  old: KubeObject | undefined,
  context: WriteContext,
  now: number,
) {
  void [kind, next, old, context, now]
}
