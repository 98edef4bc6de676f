import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest, StatusError } from '../../api/machinery/status-error.ts'
import { cloneJson } from '../../lib/json.ts'
import { allowsCreateOnUpdate } from '../registry/traits.ts'
import type { Answer, ServerRequest } from '../request.ts'
import type { HandlerDeps } from './deps.ts'
import { refOf } from './get.ts'
import { objectBody } from './object-body.ts'
import { writeContext } from './write-options.ts'

/** The name in the body must be that of the path. */
export function checkName(object: KubeObject, name: string) {
  const { metadata } = object
  if (!metadata?.name) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  }
  if (metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  }
}

/** Answers PUT of an object or of its status. */
export async function update(deps: HandlerDeps, request: ServerRequest, kind: Kind, subresource = ''): Promise<Answer> {
  const { namespace, name } = request.info
  const context = writeContext(request, 'UpdateOptions', subresource)
  const { object, duplicates } = await objectBody(request, kind, context.fieldValidation !== 'Ignore')
  checkName(object, name)
  const write = { ...context, duplicates }
  try {
    const written = await deps.registry.update(kind, refOf(kind, namespace, name), () => cloneJson(object), write)
    return { status: 200, type: 'object', object: written }
  } catch (error) {
    const missing = error instanceof StatusError && error.code === 404
    if (!missing || subresource || !allowsCreateOnUpdate(kind) || object.metadata?.resourceVersion) throw error
    const created = await deps.registry.create(kind, namespace, object, write)
    return { status: 201, type: 'object', object: created }
  }
}
