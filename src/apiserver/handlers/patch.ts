import type { Kind } from '../../api/machinery/kind.ts'
import { methodNotAllowed } from '../../api/machinery/status-error.ts'
import type { Answer, ServerRequest } from '../request.ts'
import type { HandlerDeps } from './deps.ts'

export async function patch(deps: HandlerDeps, request: ServerRequest, kind: Kind, subresource = ''): Promise<Answer> {
  void [deps, request, kind, subresource]
  throw methodNotAllowed()
}
