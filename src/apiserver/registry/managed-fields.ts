import { trackUpdate } from '../../api/machinery/apply/managed-fields.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { WriteContext } from './registry.ts'
import { resetLater } from './reset-fields.ts'

/** Records in metadata.managedFields what this write changed, in place. An apply has done so itself. */
export function trackFields(
  kind: Kind,
  next: KubeObject,
  old: KubeObject | undefined,
  context: WriteContext,
  now: number,
) {
  if (context.applied) return
  const entries = trackUpdate({
    live: old,
    next,
    schema: kind.schema,
    apiVersion: kind.apiVersion,
    manager: context.fieldManager || context.user.name,
    subresource: context.subresource,
    ignored: resetLater(kind, context.subresource ?? ''),
    now,
  })
  const meta = next.metadata!
  if (entries.length) meta.managedFields = entries
  else delete meta.managedFields
}
