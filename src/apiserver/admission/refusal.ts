/** How admission says no: the errors that Kubernetes' plugins give. */
import { forbidden, notFound, type StatusCause, StatusError } from '../../api/machinery/status-error.ts'
import type { AdmissionAttributes } from './plugin.ts'

/** 403 about the object of a request: `pods "x" is forbidden: REASON`. A cause is for programs to recognise it by. */
export function refuse(request: AdmissionAttributes, reason: string, cause?: StatusCause): StatusError {
  const { name = '', generateName = '' } = request.object?.metadata ?? {}
  const error = forbidden(request.kind, request.name || name || generateName || 'Unknown', reason)
  if (!cause) return error
  return new StatusError({ ...error.status, details: { ...error.status.details, causes: [cause] } })
}

/** 404 about another object that the request needs. */
export const refuseMissing = (plural: string, name: string) => notFound({ group: '', plural }, name)
