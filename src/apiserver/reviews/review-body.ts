import type { KubeObject } from '../../api/machinery/object.ts'
import type { Clock } from '../../lib/clock.ts'
import { objectBody } from '../handlers/object-body.ts'
import { writeContext } from '../handlers/write-options.ts'
import { trackFields } from '../registry/managed-fields.ts'
import { wipeMetadata } from '../registry/metadata.ts'
import { checkStructure } from '../registry/structure.ts'
import type { ServerRequest } from '../request.ts'

/**
 * The question in the body of a request, ours to answer in. It is decoded as objects are that are kept: its structure
 * is checked, and who wrote which field stands in its metadata. Throws StatusError for what is none of its kind.
 */
export async function reviewBody<T extends KubeObject>(request: ServerRequest, clock: Pick<Clock, 'now'>): Promise<T> {
  const kind = request.kind!
  const context = writeContext(request, 'CreateOptions')
  const { object, duplicates } = await objectBody(request, kind, context.fieldValidation !== 'Ignore')
  checkStructure(kind, object, { ...context, duplicates })
  object.apiVersion = kind.apiVersion
  object.kind = kind.kind
  object.metadata ??= {}
  wipeMetadata(object.metadata)
  // Calls inside the process are not asked who wrote what.
  if (!request.local || context.fieldManager) trackFields(kind, object, undefined, context, clock.now())
  await request.admitBody?.(object)
  return object as T
}
