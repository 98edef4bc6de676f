/** TokenReview: is this token good, and whose is it (API doc: authentication.k8s.io/v1)? */
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest } from '../../api/machinery/status-error.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import type { Clock } from '../../lib/clock.ts'
import type { TokenAuthenticator, UserInfo } from '../authentication/authenticator.ts'
import { withAuthenticated } from '../authentication/groups.ts'
import type { Handler } from '../request.ts'
import { answer } from '../subresources/request-parts.ts'
import { reviewBody } from './review-body.ts'

interface TokenReview extends KubeObject {
  spec?: { token?: string; audiences?: string[] }
  status?: object
}

/** A user as the API shows it (authentication.k8s.io/v1 UserInfo). */
export const shownUser = ({ name, uid, groups, extra }: UserInfo) => ({
  username: name,
  ...(uid && { uid }),
  ...(groups.length && { groups }),
  ...(extra && Object.keys(extra).length && { extra }),
})

/** The handler. `authenticate` knows all tokens that the server takes; `own` are the server's audiences. */
export function tokenReviewHandler(
  authenticate: TokenAuthenticator,
  own: readonly string[],
  clock: Pick<Clock, 'now'>,
): Handler {
  return async request => {
    const review = await reviewBody<TokenReview>(request, clock)
    const { token, audiences } = review.spec ?? {}
    if (!token) throw badRequest('token is required for TokenReview in authentication')
    const wanted = audiences?.length ? audiences : own
    try {
      const found = await authenticate(token, wanted)
      if (!found) throw new Error('invalid bearer token')
      review.status = {
        authenticated: true,
        user: shownUser(withAuthenticated(found.user)),
        audiences: found.audiences ?? wanted,
      }
    } catch (error) {
      review.status = { user: {}, error: (error as Error).message }
    }
    review.metadata = { ...review.metadata }
    return answer(review, 201)
  }
}

/** The handler of SelfSubjectReview: who the server takes the caller for. */
export const selfSubjectReviewHandler =
  (clock: Pick<Clock, 'now'>): Handler =>
  async request => {
    const { apiVersion, kind } = await reviewBody<KubeObject & { status?: object }>(request, clock)
    // The answer is an object of its own.
    return answer(
      {
        apiVersion,
        kind,
        metadata: { creationTimestamp: rfc3339(clock.now()) },
        status: { userInfo: shownUser(request.user) },
      },
      201,
    )
  }
