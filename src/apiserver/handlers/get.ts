import type { Kind } from '../../api/machinery/kind.ts'
import type { Answer, ServerRequest } from '../request.ts'
import type { HandlerDeps } from './deps.ts'
import { tooLargeResourceVersion } from './list.ts'
import { badRevision, parseRevision } from './list-options.ts'

/** Answers GET of one object; also of its status, which shows the whole object. */
export async function get(deps: HandlerDeps, request: ServerRequest, kind: Kind): Promise<Answer> {
  const { namespace, name } = request.info
  const asked = parseRevision(request.query.get('resourceVersion') ?? '', badRevision)
  const current = deps.registry.revision()
  if (asked !== undefined && asked > current) throw tooLargeResourceVersion(asked, current)
  const ref = refOf(kind, namespace, name)
  await deps.registry.prepare(kind, ref)
  return { status: 200, type: 'object', object: deps.registry.get(kind, ref) }
}

/** The reference of a request: a namespace's own requests name it twice. */
export function refOf(kind: Kind, namespace: string, name: string) {
  return { namespace: kind.namespaced ? namespace : '', name }
}
