import { unauthorized } from '../../api/machinery/status-error.ts'
import { ANONYMOUS, type Authenticator, type Credentials, type UserInfo } from '../authentication/authenticator.ts'
import { withAuthenticated } from '../authentication/groups.ts'
import type { Filter, ServerRequest } from '../request.ts'

const credentialsOf = ({ headers, rawHeaders, clientCertificate }: ServerRequest): Credentials => ({
  headers,
  ...(rawHeaders && { rawHeaders }),
  ...(clientCertificate && { certificate: clientCertificate }),
})

/** Counts and times attempts. */
export interface AuthenticationMeter {
  /** `start` is when the request came, as the clock's `elapsed` has it; no user where none could be found. */
  ended(start: number | undefined, user: UserInfo | undefined): void
}

/**
 * Finds out who asks. The first authenticator that knows the credentials decides. A request that none of them knows
 * is anonymous, where `anonymous` lets it be for its path; one with credentials that are bad is refused.
 */
export function authenticationFilter(
  authenticators: readonly Authenticator[],
  anonymous: (path: string) => boolean = () => true,
  meter?: AuthenticationMeter,
): Filter {
  const find = async (request: ServerRequest): Promise<UserInfo> => {
    const credentials = credentialsOf(request)
    let fault: unknown
    for (const authenticate of authenticators)
      try {
        const found = authenticate(credentials)
        const user = found instanceof Promise ? await found : found
        if (user) return withAuthenticated(user)
      } catch (error) {
        fault ??= error
      }
    if (fault) throw Object.assign(unauthorized(), { cause: fault })
    if (!anonymous(request.path)) throw unauthorized()
    return ANONYMOUS
  }
  return next => async request => {
    try {
      request.user = await find(request)
      meter?.ended(request.began, request.user)
    } catch (error) {
      meter?.ended(request.began, undefined)
      throw error
    }
    return next(request)
  }
}
