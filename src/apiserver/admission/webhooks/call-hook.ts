/** One call of an admission webhook, from the request to what its answer means. */
import { badRequest, internalError, StatusError, type StatusLike } from '../../../api/machinery/status-error.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import type { Invocation } from './match-hook.ts'
import { type ReviewAnswer, readReview, reviewOf, reviewVersion } from './review.ts'

/** A webhook that could not be asked: what that means is up to its failure policy. */
export class HookFailure extends Error {
  override readonly name = 'HookFailure'
  constructor(hook: string, reason: string, options?: ErrorOptions) {
    super(`failed calling webhook ${JSON.stringify(hook)}: ${reason}`, options)
  }
}

/** The refusal of a webhook: its own words and code, and who says them. */
function denial(hook: string, { code = 0, message, reason, details, metadata }: StatusLike = {}): StatusError {
  const denied = `admission webhook ${JSON.stringify(hook)} denied the request`
  const why = message || reason
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: metadata ?? {},
    status: 'Failure',
    message: why ? `${denied}: ${why}` : `${denied} without explanation`,
    ...(reason && { reason }),
    ...(details && { details }),
    code: code < 400 ? 400 : code,
  })
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

async function ask(
  { hook, ...rest }: Invocation,
  request: AdmissionAttributes,
  mutating: boolean,
  uid: string,
): Promise<ReviewAnswer> {
  const fail = (error: unknown, what = '') => new HookFailure(hook.name, what + reasonOf(error), { cause: error })
  let version: string
  try {
    version = reviewVersion(hook.versions)
  } catch (error) {
    throw fail(error)
  }
  let endpoint: ReturnType<typeof hook.endpoint>
  try {
    endpoint = hook.endpoint()
  } catch (error) {
    throw fail(error, 'could not get REST client: ')
  }
  let document: unknown
  try {
    document = await endpoint.post(reviewOf(uid, version, request, { hook, ...rest }), { timeoutMs: hook.timeoutMs })
  } catch (error) {
    throw fail(error, 'failed to call webhook: ')
  }
  try {
    return readReview(document, uid, version, mutating)
  } catch (error) {
    throw fail(error)
  }
}

/**
 * Asks a webhook. Gives its patch, decoded, or undefined. Throws a HookFailure where it cannot be asked, and a
 * StatusError where it refuses.
 */
export async function callHook(
  invocation: Invocation,
  request: AdmissionAttributes,
  mutating: boolean,
  uid: string,
): Promise<unknown> {
  const { hook } = invocation
  if (request.dryRun && !hook.dryRunSafe)
    throw badRequest(`admission webhook ${JSON.stringify(hook.name)} does not support dry run`)
  const answer = await ask(invocation, request, mutating, uid)
  for (const [key, value] of Object.entries(answer.auditAnnotations)) request.audit(`${hook.name}/${key}`, value)
  for (const warning of answer.warnings) request.warn(warning)
  if (!answer.allowed) throw denial(hook.name, answer.status)
  return answer.patch
}

/** The error that a client sees for one: a failure is the server's own. */
export const shownError = (error: unknown) => (error instanceof HookFailure ? internalError(error) : error)
