/** PATCH: JSON patch, merge patch and strategic merge patch of what is stored; apply is in `apply.ts`. */
import type { Kind } from '../../api/machinery/kind.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { cloneJson } from '../../lib/json.ts'
import type { WriteContext } from '../registry/registry.ts'
import { checkPatched } from '../registry/structure.ts'
import type { Answer, ServerRequest } from '../request.ts'
import { apply } from './apply.ts'
import type { HandlerDeps } from './deps.ts'
import { refOf } from './get.ts'
import { APPLY, patchBody, patched, STRATEGIC } from './patch-body.ts'
import { checkName } from './update.ts'
import { writeContext } from './write-options.ts'

/** Answers PATCH of an object or of its status. */
export async function patch(deps: HandlerDeps, request: ServerRequest, kind: Kind, subresource = ''): Promise<Answer> {
  const { info } = request
  const context = writeContext(request, 'PatchOptions', subresource)
  const { type, value, duplicates } = await patchBody(request, context.fieldValidation !== 'Ignore').catch(error => {
    // A patch is read when there is something to patch.
    if (!(error instanceof StatusError && error.code === 415)) {
      deps.registry.get(kind, refOf(kind, info.namespace, info.name))
    }
    throw error
  })
  const write: WriteContext = { ...context, duplicates }
  if (type === APPLY) return apply(deps, request, kind, value, write)
  const object = await deps.registry.update(
    kind,
    refOf(kind, info.namespace, info.name),
    stored => {
      const next = patched(type, stored, cloneJson(value), kind.schema, context.fieldValidation !== 'Ignore')
      // A strategic merge is made in the kind's own type.
      if (type === STRATEGIC) Object.assign(next, { apiVersion: kind.apiVersion, kind: kind.kind })
      checkPatched(kind, next, write, type === STRATEGIC ? value : undefined)
      checkName(next, info.name)
      return next
    },
    write,
  )
  return { status: 200, type: 'object', object }
}
