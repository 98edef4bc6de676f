/** Every kind that is answered and not kept, by its key. */
import type { Clock } from '../../lib/clock.ts'
import type { Authorizer, TokenAuthenticator } from '../auth/auth.ts'
import type { Rbac } from '../auth/rbac.ts'
import type { AdmissionChain } from '../registry/admission-chain.ts'
import type { Registry } from '../registry/registry.ts'
import type { Handler } from '../request.ts'
import { bindingHandler } from '../subresources/binding.ts'
import { only } from '../subresources/request-parts.ts'
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
  const { subject, local, self } = accessReviewHandlers(deps.authorizer)
  const create = (handler: Handler) => only(['POST'], handler)
  return new Map<string, Handler>([
    ['v1/bindings', create(bindingHandler(deps.registry, deps.clock, deps.admission))],
    ['v1/componentstatuses', only(['GET'], componentStatusHandler(deps.components))],
    ['authentication.k8s.io/v1/tokenreviews', create(tokenReviewHandler(deps.authenticate, deps.audiences))],
    ['authentication.k8s.io/v1/selfsubjectreviews', create(selfSubjectReviewHandler(deps.clock))],
    ['authorization.k8s.io/v1/subjectaccessreviews', create(subject)],
    ['authorization.k8s.io/v1/localsubjectaccessreviews', create(local)],
    ['authorization.k8s.io/v1/selfsubjectaccessreviews', create(self)],
    ['authorization.k8s.io/v1/selfsubjectrulesreviews', create(rulesReviewHandler(deps.rbac))],
  ])
}
