import type { Kind } from '../../api/machinery/kind.ts'
import type { Answer, ServerRequest } from '../request.ts'
import type { HandlerDeps } from './deps.ts'
import { objectBody } from './object-body.ts'
import { writeContext } from './write-options.ts'

/** Answers POST of a collection. */
export async function create(deps: HandlerDeps, request: ServerRequest, kind: Kind): Promise<Answer> {
  const context = writeContext(request, 'CreateOptions')
  const { object, duplicates } = await objectBody(request, kind, context.fieldValidation !== 'Ignore')
  const created = await deps.registry.create(kind, request.info.namespace, object, { ...context, duplicates })
  return { status: 201, type: 'object', object: created }
}
