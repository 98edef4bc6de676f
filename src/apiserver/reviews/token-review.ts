/** TokenReview: is this token good, and whose is it (API doc: authentication.k8s.io/v1)? */
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest } from '../../api/machinery/status-error.ts'
import type { UserInfo } from '../auth/auth.ts'
import type { ServiceAccountTokens } from '../auth/service-account-tokens.ts'
import type { Handler } from '../request.ts'
import { answer, bodyObject } from '../subresources/request-parts.ts'

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

/** The handler. */
export function tokenReviewHandler(tokens: ServiceAccountTokens): Handler {
  return async request => {
    const review = await bodyObject<TokenReview>(request, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
    })
    const { token, audiences } = review.spec ?? {}
    if (!token) throw badRequest('token is required for TokenReview in authentication')
    try {
      const found = await tokens.check(token, audiences?.length ? audiences : undefined)
      review.status = { authenticated: true, user: shownUser(found.user), audiences: found.audiences }
    } catch (error) {
      review.status = { user: {}, error: (error as Error).message }
    }
    review.metadata = { ...review.metadata }
    return answer(review, 201)
  }
}

/** The handler of SelfSubjectReview: who the server takes the caller for. */
export const selfSubjectReviewHandler: Handler = async request => {
  const review = await bodyObject<KubeObject & { status?: object }>(request, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
  })
  return answer(
    {
      ...review,
      metadata: { creationTimestamp: null, ...review.metadata },
      status: { userInfo: shownUser(request.user) },
    },
    201,
  )
}
