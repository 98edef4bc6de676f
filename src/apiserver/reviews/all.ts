/** Every kind that is answered and not kept, by its key. */
import type { Clock } from '../../lib/clock.ts'
import type { TokenAuthenticator } from '../authentication/authenticator.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { Rbac } from '../authorization/rbac/rbac.ts'
import type { AdmissionChain } from '../registry/admission-chain.ts'
import type { Registry } from '../registry/registry.ts'
import type { Handler } from '../request.ts'
import { admitReview } from '../subresources/admit.ts'
import { bindingHandler } from '../subresources/binding.ts'
import { only, requireKind } from '../subresources/request-parts.ts'
import { accessReviewHandlers } from './access-review.ts'
import { type ComponentHealth, componentStatusHandler } from './component-status.ts'
import { rulesReviewHandler } from './rules-review.ts'
import { selfSubjectReviewHandler, tokenReviewHandler } from './token-review.ts'

export interface ReviewDeps {
  readonly registry: Registry
  readonly admission: AdmissionChain
  readonly rbac: Rbac
  /** All authorizers together. */
  readonly authorizer: Authorizer
  /** Knows all tokens that the server takes. */
  readonly authenticate: TokenAuthenticator
  /** The server's own. */
  readonly audiences: readonly string[]
  readonly clock: Clock
  components(): readonly ComponentHealth[]
}

/** Makes the handlers. */
export function reviewHandlers(deps: ReviewDeps): ReadonlyMap<string, Handler> {
  const { subject, local, self } = accessReviewHandlers(deps.authorizer, deps.clock)
  const create = (key: string, handler: Handler): [string, Handler] => [
    key,
    only(['POST'], admitReview(deps.admission, requireKind(deps.registry, key), handler)),
  ]
  return new Map<string, Handler>([
    ['v1/bindings', only(['POST'], bindingHandler(deps.registry, deps.clock, deps.admission))],
    ['v1/componentstatuses', only(['GET'], componentStatusHandler(deps.components))],
    create('authentication.k8s.io/v1/tokenreviews', tokenReviewHandler(deps.authenticate, deps.audiences, deps.clock)),
    create('authentication.k8s.io/v1/selfsubjectreviews', selfSubjectReviewHandler(deps.clock)),
    create('authorization.k8s.io/v1/subjectaccessreviews', subject),
    create('authorization.k8s.io/v1/localsubjectaccessreviews', local),
    create('authorization.k8s.io/v1/selfsubjectaccessreviews', self),
    create('authorization.k8s.io/v1/selfsubjectrulesreviews', rulesReviewHandler(deps.rbac, deps.clock)),
  ])
}
