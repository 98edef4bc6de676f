import { badRequest, StatusError, serviceUnavailable, statusOf } from '../../api/machinery/status-error.ts'
import type { Logger } from '../../lib/log.ts'
import { StoreError } from '../../store/store.ts'
import type { Answer, Filter } from '../request.ts'

/** What a client is told of an error, and nothing more. */
export function answerOf(error: unknown): Answer {
  const status = statusOf(translate(error))
  const retry = status.details?.retryAfterSeconds
  const headers = retry ? { 'retry-after': String(retry) } : undefined
  return { status: status.code ?? 500, type: 'value', value: status, ...(headers && { headers }) }
}

/**
 * Bodies from the wire are refused when they are nested too deeply; an object from inside the process is not measured,
 * and shows only here that it is.
 */
const isTooDeep = (error: unknown) => error instanceof RangeError && /call stack/.test(error.message)

/** The one place where faults of the store become answers of the API. */
function translate(error: unknown): unknown {
  if (isTooDeep(error)) return badRequest('the object is nested too deeply')
  if (!(error instanceof StoreError)) return error
  if (error.code === 'full') return serviceUnavailable(`the data directory has no space left: ${error.message}`)
  if (error.code === 'closed') return serviceUnavailable('the server is shutting down')
  return error
}

/** Turns whatever a handler throws into a Status. Faults of the server are logged; refusals are not. */
export function errorFilter(logger: Logger): Filter {
  return next => async request => {
    try {
      return await next(request)
    } catch (error) {
      if (!(error instanceof StatusError || isTooDeep(error))) {
        logger.error({ err: error, method: request.method, path: request.path }, 'a request failed')
      }
      return answerOf(error)
    }
  }
}
