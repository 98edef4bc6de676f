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
  /** Asks from the one at `at` on; a promise only where somebody must be waited for, which is rare. */
  function ask(
    request: ServerRequest,
    credentials: Credentials,
    at: number,
    fault: unknown,
  ): UserInfo | Promise<UserInfo> {
    let problem = fault
    for (let next = at; next < authenticators.length; next++)
      try {
        const found = authenticators[next]!(credentials)
        if (found instanceof Promise) {
          const after = next + 1
          return found.then(
            user => (user ? withAuthenticated(user) : ask(request, credentials, after, problem)),
            error => ask(request, credentials, after, problem ?? error),
          )
        }
        if (found) return withAuthenticated(found)
      } catch (error) {
        problem ??= error
      }
    if (problem) throw Object.assign(unauthorized(), { cause: problem })
    if (!anonymous(request.path)) throw unauthorized()
    return ANONYMOUS
  }
  return next => async request => {
    try {
      const found = ask(request, credentialsOf(request), 0, undefined)
      request.user = found instanceof Promise ? await found : found
      meter?.ended(request.began, request.user)
    } catch (error) {
      meter?.ended(request.began, undefined)
      throw error
    }
    return next(request)
  }
}
