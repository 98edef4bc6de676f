/** SelfSubjectRulesReview: everything the caller may do in a namespace, as `kubectl auth can-i --list` shows it. */
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest } from '../../api/machinery/status-error.ts'
import type { Clock } from '../../lib/clock.ts'
import { nodeOf } from '../authorization/node/node-identity.ts'
import type { Rbac } from '../authorization/rbac/rbac.ts'
import type { Handler } from '../request.ts'
import { answer } from '../subresources/request-parts.ts'
import { reviewBody } from './review-body.ts'

interface RulesReview extends KubeObject {
  spec?: { namespace?: string }
  status?: object
}

/** The handler. */
export function rulesReviewHandler(rbac: Rbac, clock: Pick<Clock, 'now'>): Handler {
  return async request => {
    const review = await reviewBody<RulesReview>(request, clock)
    const namespace = review.spec?.namespace
    if (!namespace) throw badRequest('no namespace on request')
    const { user } = request
    const { rules, errors } = rbac.rulesFor(user, namespace)
    const faults = [...errors]
    // What a node may read depends on its pods.
    if (nodeOf(user) !== undefined) faults.unshift('node authorizer does not support user rule resolution')
    review.status = {
      resourceRules: rules
        .filter(rule => rule.resources?.length)
        .map(({ verbs = [], apiGroups = [], resources = [], resourceNames }) => ({
          verbs,
          apiGroups,
          resources,
          ...(resourceNames?.length && { resourceNames }),
        })),
      nonResourceRules: rules
        .filter(rule => rule.nonResourceURLs?.length)
        .map(({ verbs = [], nonResourceURLs = [] }) => ({ verbs, nonResourceURLs })),
      incomplete: faults.length > 0,
      ...(faults.length && { evaluationError: faults.join(', ') }),
    }
    return answer({ ...review, metadata: {}, spec: {} }, 201)
  }
}
