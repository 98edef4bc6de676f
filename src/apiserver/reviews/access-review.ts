/** SubjectAccessReview and its kin: may someone do something (API doc: authorization.k8s.io/v1)? */
import { type FieldError, invalid as invalidField } from '../../api/machinery/field-error.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { invalid } from '../../api/machinery/status-error.ts'
import type { Attributes, Authorizer, UserInfo } from '../auth/auth.ts'
import type { Handler, ServerRequest } from '../request.ts'
import { answer, bodyObject } from '../subresources/request-parts.ts'

interface ReviewSpec {
  resourceAttributes?: {
    namespace?: string
    verb?: string
    group?: string
    version?: string
    resource?: string
    subresource?: string
    name?: string
  }
  nonResourceAttributes?: { path?: string; verb?: string }
  user?: string
  uid?: string
  groups?: string[]
  extra?: Record<string, string[]>
}

interface Review extends KubeObject {
  spec?: ReviewSpec
  status?: object
}

const GROUP = 'authorization.k8s.io'

/** The question of a review, for `user`. */
function attributesOf(spec: ReviewSpec, user: UserInfo): Attributes {
  const resource = spec.resourceAttributes
  return {
    user,
    verb: (resource ?? spec.nonResourceAttributes)?.verb ?? '',
    isResource: resource !== undefined,
    group: resource?.group ?? '',
    version: resource?.version || '*',
    namespace: resource?.namespace ?? '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    name: resource?.name ?? '',
    path: spec.nonResourceAttributes?.path ?? '',
  }
}

function attributeErrors({ resourceAttributes, nonResourceAttributes }: ReviewSpec): FieldError[] {
  if (resourceAttributes && nonResourceAttributes)
    return [
      invalidField(
        'spec.nonResourceAttributes',
        nonResourceAttributes,
        'cannot be specified in combination with resourceAttributes',
      ),
    ]
  if (resourceAttributes || nonResourceAttributes) return []
  return [
    invalidField(
      'spec.resourceAttributes',
      null,
      'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    ),
  ]
}

const subjectErrors = ({ user, groups }: ReviewSpec): FieldError[] =>
  user || groups?.length
    ? []
    : [invalidField('spec.user', user ?? '', 'at least one of user or group must be specified')]

type Check = (review: Review, spec: ReviewSpec, request: ServerRequest) => FieldError[]

const checkLocal: Check = (review, spec, request) => {
  const errors = [...attributeErrors(spec), ...subjectErrors(spec)]
  const { namespace } = request.info
  if (review.metadata?.namespace && review.metadata.namespace !== namespace)
    errors.push(
      invalidField('metadata.namespace', review.metadata.namespace, 'must match the namespace of the request'),
    )
  if (spec.resourceAttributes?.namespace !== namespace && spec.resourceAttributes)
    errors.push(
      invalidField(
        'spec.resourceAttributes.namespace',
        spec.resourceAttributes.namespace ?? '',
        'must match metadata.namespace',
      ),
    )
  if (spec.nonResourceAttributes)
    errors.push(
      invalidField('spec.nonResourceAttributes', spec.nonResourceAttributes, 'disallowed on this kind of request'),
    )
  return errors
}

function reviewHandler(kind: string, authorize: Authorizer, check: Check, self: boolean): Handler {
  return async request => {
    const review = await bodyObject<Review>(request, { apiVersion: `${GROUP}/v1`, kind })
    const spec = review.spec ?? {}
    const errors = check(review, spec, request)
    if (errors.length) throw invalid({ group: GROUP, kind }, '', errors)
    const asked: UserInfo = {
      name: spec.user ?? '',
      ...(spec.uid && { uid: spec.uid }),
      groups: spec.groups ?? [],
      ...(spec.extra && { extra: spec.extra }),
    }
    const { allowed, denied, reason, error } = await authorize(attributesOf(spec, self ? request.user : asked))
    review.status = {
      allowed,
      ...(denied && { denied }),
      ...(reason && { reason }),
      ...(error && { evaluationError: error }),
    }
    review.metadata = { creationTimestamp: null, ...review.metadata } as NonNullable<Review['metadata']>
    return answer(review, 201)
  }
}

/** The handlers of the three kinds that ask about one action. */
export function accessReviewHandlers(authorize: Authorizer): { subject: Handler; local: Handler; self: Handler } {
  const checkSubject: Check = (_review, spec) => [...attributeErrors(spec), ...subjectErrors(spec)]
  const checkSelf: Check = (_review, spec) => attributeErrors(spec)
  return {
    subject: reviewHandler('SubjectAccessReview', authorize, checkSubject, false),
    local: reviewHandler('LocalSubjectAccessReview', authorize, checkLocal, false),
    self: reviewHandler('SelfSubjectAccessReview', authorize, checkSelf, true),
  }
}
