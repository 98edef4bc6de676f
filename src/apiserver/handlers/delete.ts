import type { Kind } from '../../api/machinery/kind.ts'
import { StatusError, success } from '../../api/machinery/status-error.ts'
import type { DeleteOptions, WriteContext } from '../registry/registry.ts'
import { returnsDeleted, unsaidPropagation } from '../registry/traits.ts'
import type { Answer, ServerRequest } from '../request.ts'
import { deleteOptions } from './delete-options.ts'
import type { HandlerDeps } from './deps.ts'
import { refOf } from './get.ts'
import { list } from './list.ts'

function warnOfDependents(kind: Kind, { propagationPolicy, orphanDependents }: DeleteOptions, context: WriteContext) {
  const text = unsaidPropagation(kind)
  if (text && propagationPolicy === undefined && orphanDependents === undefined) context.warn?.(text)
}

/** Answers DELETE of one object. */
export async function deleteOne(deps: HandlerDeps, request: ServerRequest, kind: Kind): Promise<Answer> {
  const { namespace, name } = request.info
  const { options, context, accepted } = await deleteOptions(request)
  warnOfDependents(kind, options, context)
  const { object, gone } = await deps.registry.delete(kind, refOf(kind, namespace, name), options, context)
  if (!gone) return { status: accepted ? 202 : 200, type: 'object', object }
  if (returnsDeleted(kind)) return { status: 200, type: 'object', object }
  const uid = object.value.metadata?.uid
  const details = { name, ...(kind.group && { group: kind.group }), kind: kind.plural, ...(uid && { uid }) }
  return { status: 200, type: 'value', value: success(details) }
}

/** Deletes at a time of one deletecollection. */
const WORKERS = 16

/** Answers DELETE of a collection: deletes what a list with the same options shows, and answers with that list. */
export async function deleteCollection(deps: HandlerDeps, request: ServerRequest, kind: Kind): Promise<Answer> {
  const { options, context } = await deleteOptions(request)
  warnOfDependents(kind, options, context)
  const answer = await list(deps, request, kind)
  if (answer.type !== 'list') return answer
  const left = [...answer.items]
  async function work() {
    for (let object = left.pop(); object; object = left.pop()) {
      const { namespace = '', name = '' } = object.value.metadata ?? {}
      try {
        await deps.registry.delete(kind, { namespace, name }, options, context)
      } catch (error) {
        // Someone else may have deleted it meanwhile.
        if (!(error instanceof StatusError && error.code === 404)) throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(WORKERS, left.length) }, work))
  return answer
}
