/**
 * Errors that clients see: meta/v1 Status, with the reasons, codes and messages of Kubernetes
 * (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/).
 */
import type { FieldError } from './field-error.ts'

export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  /** The plural of the resource, or the kind for Invalid. */
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

/** meta/v1 Status. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, unknown>>
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: StatusDetails
  readonly code?: number
}

/** What a Status may arrive as: anything that a server sent. */
export type StatusLike = { readonly [K in keyof Status]?: Status[K] | undefined }

/** A failure with the Status that tells it to the client. Thrown by everything that answers requests. */
export class StatusError extends Error {
  readonly status: Status

  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? '', options)
    this.name = 'StatusError'
    this.status = status
  }

  /** HTTP status code; 500 where the Status has none. */
  get code(): number {
    return this.status.code ?? 500
  }

  /** `NotFound`, `Conflict`, …; '' when unknown. */
  get reason(): string {
    return this.status.reason ?? ''
  }

  /** The error a client throws for a Status (or something else) that a server answered with. */
  static from(status: StatusLike | null | undefined): StatusError {
    if (status?.kind !== 'Status') {
      return failure(500, '', 'the server answered with an error that is not a Status')
    }
    return new StatusError({ ...status, apiVersion: 'v1', metadata: status.metadata ?? {} } as Status)
  }
}

/** A resource as messages name it. A `Kind` fits. */
export interface ResourceName {
  readonly group: string
  readonly plural: string
}

/** A kind as messages name it. A `Kind` fits. */
export interface KindName {
  readonly group: string
  readonly kind: string
}

const qualified = (name: string, group: string) => (group ? `${name}.${group}` : name)
const resource = (of: ResourceName) => qualified(of.plural, of.group)

function failure(code: number, reason: string, message: string, details?: StatusDetails): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason && { reason }),
    ...(details && { details }),
    code,
  })
}

function detailsOf(of: ResourceName, name: string, more?: Partial<StatusDetails>): StatusDetails {
  return { ...(name && { name }), ...(of.group && { group: of.group }), kind: of.plural, ...more }
}

/** 404: `pods "x" not found`. */
export const notFound = (of: ResourceName, name: string) =>
  failure(404, 'NotFound', `${resource(of)} ${JSON.stringify(name)} not found`, detailsOf(of, name))

/** 404 for a path that no resource answers. */
export const pathNotFound = () => failure(404, 'NotFound', 'the server could not find the requested resource', {})

/** 409: `pods "x" already exists`. */
export const alreadyExists = (of: ResourceName, name: string) =>
  failure(409, 'AlreadyExists', `${resource(of)} ${JSON.stringify(name)} already exists`, detailsOf(of, name))

/** 409: every name that was generated is taken. */
export const generateNameConflict = (of: ResourceName, name: string, retryAfterSeconds = 1) =>
  failure(
    409,
    'AlreadyExists',
    `${resource(of)} ${JSON.stringify(name)} already exists, the server was not able to generate a unique name for the object`,
    detailsOf(of, name, { retryAfterSeconds }),
  )

/** What a conflict says when a write was based on an older version of the object. */
export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

/** 409: `Operation cannot be fulfilled on pods "x": …`. */
export const conflict = (of: ResourceName, name: string, message: string = MODIFIED) =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${resource(of)} ${JSON.stringify(name)}: ${message}`,
    detailsOf(of, name),
  )

/** 409 of server-side apply: one cause (reason FieldManagerConflict) per field. */
export const applyConflict = (causes: readonly StatusCause[], message: string) =>
  failure(409, 'Conflict', message, { causes })

/** 422: `Pod "x" is invalid: spec.containers: Required value`, with one cause per error. */
export function invalid(of: KindName, name: string, errors: readonly FieldError[]): StatusError {
  const head = `${qualified(of.kind, of.group)} ${JSON.stringify(name)} is invalid`
  const lines = [...new Set(errors.map(error => `${error.field}: ${error.message}`))]
  const body = lines.length > 1 ? `[${lines.join(', ')}]` : lines[0]
  return failure(422, 'Invalid', body === undefined ? head : `${head}: ${body}`, {
    ...(name && { name }),
    ...(of.group && { group: of.group }),
    ...(of.kind && { kind: of.kind }),
    causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
  })
}

/** 400. */
export const badRequest = (message: string) => failure(400, 'BadRequest', message)

/** 401. */
export const unauthorized = (message = 'Unauthorized') => failure(401, 'Unauthorized', message)

/** 403: `pods "x" is forbidden: …`; without a resource `forbidden: …`. */
export function forbidden(of: ResourceName | undefined, name: string, reason: string): StatusError {
  if (!of?.plural) return failure(403, 'Forbidden', `forbidden: ${reason}`, {})
  const what = name ? `${resource(of)} ${JSON.stringify(name)}` : resource(of)
  return failure(403, 'Forbidden', `${what} is forbidden: ${reason}`, detailsOf(of, name))
}

/** 405 for an action (`delete`, `POST`, …) that the resource does not have. */
export const methodNotSupported = (of: ResourceName, action: string) =>
  failure(
    405,
    'MethodNotAllowed',
    `${action} is not supported on resources of kind ${JSON.stringify(resource(of))}`,
    detailsOf(of, ''),
  )

/** 405 without a resource. */
export const methodNotAllowed = () =>
  failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})

/** 410: it was there and is no more. */
export const gone = (message: string) => failure(410, 'Gone', message)

/** 410 for a resourceVersion or continue token that is too old. */
export const resourceExpired = (message: string) => failure(410, 'Expired', message)

/** 504: `Timeout: …`. */
export const timeout = (message: string, retryAfterSeconds = 0) =>
  failure(504, 'Timeout', `Timeout: ${message}`, retryAfterSeconds ? { retryAfterSeconds } : {})

/** 500 of an operation that may be tried again. */
export const serverTimeout = (of: ResourceName, operation: string, retryAfterSeconds = 0) =>
  failure(
    500,
    'ServerTimeout',
    `The ${operation} operation against ${resource(of)} could not be completed at this time, please try again.`,
    detailsOf(of, operation, retryAfterSeconds ? { retryAfterSeconds } : {}),
  )

/** 429. */
export const tooManyRequests = (
  retryAfterSeconds: number,
  message = 'Too many requests, please try again later.',
  causes?: readonly StatusCause[],
) =>
  failure(429, 'TooManyRequests', message, {
    ...(retryAfterSeconds && { retryAfterSeconds }),
    ...(causes && { causes }),
  })

/** 500: `Internal error occurred: …`. */
export function internalError(error: unknown): StatusError {
  const text = error instanceof Error ? error.message : String(error)
  const result = failure(500, 'InternalError', `Internal error occurred: ${text}`, { causes: [{ message: text }] })
  result.cause = error
  return result
}

/** 413: `Request entity too large: …`. */
export const requestEntityTooLarge = (message: string) =>
  failure(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`)

/** 415; `accepted` are the media types that are understood. */
export const unsupportedMediaType = (accepted: readonly string[]) =>
  failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )

/** 500 without a reason, as upstream answers with errors that it has no class for. */
export const unclassified = (message: string) =>
  new StatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 500 })

/** 406; `offered` are the media types that can be made. */
export const notAcceptable = (offered: readonly string[]) =>
  failure(406, 'NotAcceptable', `only the following media types are accepted: ${offered.join(', ')}`)

/** 406 for a media type that no answer of this path is made in. */
export const noRepresentation = (offered: readonly string[]) =>
  failure(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${offered.join(', ')}`, {})

/** 415 for a media type that this path does not take. */
export const notTaken = () => failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})

/** 406 for an answer that has not the form that was asked for. */
export const notShowable = (message: string, details?: StatusDetails) => failure(406, 'NotAcceptable', message, details)

/** 500 without a reason: where upstream lets an error of its own through as it is. */
export const unexplained = (message: string) => failure(500, '', message)

/** 503. */
export const serviceUnavailable = (message: string) => failure(503, 'ServiceUnavailable', message)

/** The answer to a write that leaves no object, such as a completed delete. */
export const success = (details?: StatusDetails): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  ...(details && { details }),
})

/** Anything that was thrown, as a Status: StatusErrors as they are, the rest as an internal error. */
export function statusOf(error: unknown): Status {
  if (error instanceof StatusError) return error.status
  return internalError(error).status
}
