import type { Kind } from '../../api/machinery/kind.ts'
import { methodNotAllowed } from '../../api/machinery/status-error.ts'
import type { Answer, ServerRequest } from '../request.ts'
import type { HandlerDeps } from './deps.ts'

export async function scale(deps: HandlerDeps, request: ServerRequest, kind: Kind, method: string): Promise<Answer> {
  void [deps, request, kind, method]
  throw methodNotAllowed()
}
