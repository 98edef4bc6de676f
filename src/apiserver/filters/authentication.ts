import { unauthorized } from '../../api/machinery/status-error.ts'
import { ANONYMOUS, type Authenticator, type Credentials, type UserInfo } from '../auth/auth.ts'
import type { Filter, ServerRequest } from '../request.ts'

const AUTHENTICATED = 'system:authenticated'

function credentialsOf(request: ServerRequest): Credentials | undefined {
  const { authorization } = request.headers
  const certificate = request.clientCertificate
  if (authorization === undefined && !certificate) return undefined
  return {
    ...(typeof authorization === 'string' && { authorization }),
    ...(certificate && { certificate }),
  }
}

/** Everyone who is known belongs to one group more. */
const grouped = (user: UserInfo): UserInfo =>
  user.groups.includes(AUTHENTICATED) || user.name === ANONYMOUS.name
    ? user
    : { ...user, groups: [...user.groups, AUTHENTICATED] }

/**
 * Finds out who asks. The first authenticator that knows the credentials decides. A request without any is anonymous;
 * one with credentials that nobody knows is refused.
 */
export function authenticationFilter(authenticators: readonly Authenticator[]): Filter {
  return next => async request => {
    const credentials = credentialsOf(request)
    if (credentials) {
      let user: UserInfo | undefined
      for (const authenticate of authenticators) {
        const known = authenticate(credentials)
        user = known instanceof Promise ? await known : known
        if (user) break
      }
      if (!user) throw unauthorized()
      request.user = grouped(user)
    }
    return next(request)
  }
}
