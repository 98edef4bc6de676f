/** SubjectAccessReview and its kin: may someone do something (API doc: authorization.k8s.io/v1)? */
import { type FieldError, forbidden, invalid as invalidField, required } from '../../api/machinery/field-error.ts'
import { isQualifiedName } from '../../api/machinery/names.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest, invalid } from '../../api/machinery/status-error.ts'
import type { Clock } from '../../lib/clock.ts'
import type { UserInfo } from '../authentication/authenticator.ts'
import type { Attributes, Authorizer } from '../authorization/authorizer.ts'
import {
  reviewedFields,
  reviewedLabels,
  type Selection,
  type SelectorAttributes,
  type SelectorRequirement,
} from '../authorization/selectors.ts'
import type { Handler } from '../request.ts'
import { answer } from '../subresources/request-parts.ts'
import { reviewBody } from './review-body.ts'

interface ReviewSpec {
  resourceAttributes?: {
    namespace?: string
    verb?: string
    group?: string
    version?: string
    resource?: string
    subresource?: string
    name?: string
    fieldSelector?: SelectorAttributes
    labelSelector?: SelectorAttributes
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
  const fieldSelector = reviewedFields(resource?.fieldSelector)
  const labelSelector = reviewedLabels(resource?.labelSelector)
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
    ...(fieldSelector && { fieldSelector }),
    ...(labelSelector && { labelSelector }),
  }
}

function checkSelector(
  selector: SelectorAttributes | undefined,
  at: string,
  keyErrors: (key: string, at: string) => FieldError[],
  errors: FieldError[],
): void {
  if (!selector) return
  const { rawSelector, requirements = [] } = selector
  if (rawSelector && requirements.length)
    errors.push(invalidField(`${at}.rawSelector`, rawSelector, 'may not specified at the same time as requirements'))
  if (!rawSelector && !requirements.length)
    errors.push(required(`${at}.requirements`, `when ${at} is specified, requirements or rawSelector is required`))
  for (const [i, requirement] of requirements.entries()) {
    const { key = '', operator = '', values = [] }: Partial<SelectorRequirement> = requirement ?? {}
    const path = `${at}.requirements[${i}]`
    const wants = operator === 'In' || operator === 'NotIn'
    if (wants && !values.length)
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    // Operators of newer clients are left out of the question, not refused.
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length)
      errors.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    errors.push(...keyErrors(key, `${path}.key`))
  }
}

const fieldKey = (key: string, at: string) => (key ? [] : [required(at, 'must be specified')])
const labelKey = (key: string, at: string) => isQualifiedName(key).map(text => invalidField(at, key, text))

/** As upstream's sentences show it: by the names of its own fields. */
const shownPath = ({ path = '', verb = '' }: NonNullable<ReviewSpec['nonResourceAttributes']>) => ({
  Path: path,
  Verb: verb,
})

function attributeErrors({ resourceAttributes, nonResourceAttributes }: ReviewSpec): FieldError[] {
  const errors: FieldError[] = []
  if (resourceAttributes && nonResourceAttributes)
    errors.push(
      invalidField(
        'spec.nonResourceAttributes',
        shownPath(nonResourceAttributes),
        'cannot be specified in combination with resourceAttributes',
      ),
    )
  if (!resourceAttributes && !nonResourceAttributes)
    errors.push(
      invalidField(
        'spec.resourceAttributes',
        null,
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    )
  return errors
}

function selectorErrors({ resourceAttributes: of }: ReviewSpec): FieldError[] {
  const errors: FieldError[] = []
  checkSelector(of?.fieldSelector, 'spec.resourceAttributes.fieldSelector', fieldKey, errors)
  checkSelector(of?.labelSelector, 'spec.resourceAttributes.labelSelector', labelKey, errors)
  return errors
}

/** Metadata says nothing in a review; what the server itself adds does not count. */
function metadataErrors({ metadata }: Review, ...allowed: string[]): FieldError[] {
  const known = new Set(['managedFields', 'creationTimestamp', ...allowed])
  const given = Object.entries(metadata ?? {}).filter(([field, value]) => value && !known.has(field))
  if (!given.length) return []
  const words = allowed.length ? 'must be empty except for namespace' : 'must be empty'
  return [invalidField('metadata', metadata, words)]
}

/** What could not be read of the selectors. */
function ignored({ fieldSelector, labelSelector }: Attributes): string[] {
  const words = (name: string, selection: Selection | undefined) => {
    if (!selection?.broken) return []
    const part = selection.requirements.length ? 'partially ignored' : 'ignored'
    return [`spec.resourceAttributes.${name} ${part} due to parse error`]
  }
  return [...words('fieldSelector', fieldSelector), ...words('labelSelector', labelSelector)]
}

const subjectErrors = ({ user, groups }: ReviewSpec): FieldError[] =>
  user || groups?.length
    ? []
    : [invalidField('spec.user', user ?? '', 'at least one of user or group must be specified')]

type Check = (review: Review, spec: ReviewSpec) => FieldError[]

const checkLocal: Check = (review, spec) => {
  const errors = [
    ...attributeErrors(spec),
    ...subjectErrors(spec),
    ...selectorErrors(spec),
    ...metadataErrors(review, 'namespace'),
  ]
  const { resourceAttributes: resource, nonResourceAttributes } = spec
  const namespace = review.metadata?.namespace ?? ''
  if (resource && (resource.namespace ?? '') !== namespace)
    errors.push(
      invalidField('spec.resourceAttributes.namespace', resource.namespace ?? '', 'must match metadata.namespace'),
    )
  if (nonResourceAttributes)
    errors.push(
      invalidField(
        'spec.nonResourceAttributes',
        shownPath(nonResourceAttributes),
        'disallowed on this kind of request',
      ),
    )
  return errors
}

/** The review is in the namespace of the request, whether it says so or not. */
function settleNamespace(review: Review, namespace: string): void {
  review.metadata ??= {}
  review.metadata.namespace ||= namespace
  if (review.metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

function reviewHandler(authorize: Authorizer, clock: Pick<Clock, 'now'>, check: Check, self: boolean): Handler {
  return async request => {
    const review = await reviewBody<Review>(request, clock)
    const spec = review.spec ?? {}
    if (request.info.namespace) settleNamespace(review, request.info.namespace)
    const errors = check(review, spec)
    // Upstream leaves the kind out of this sentence.
    if (errors.length) throw invalid({ group: GROUP, kind: '' }, '', errors)
    const asked: UserInfo = {
      name: spec.user ?? '',
      ...(spec.uid && { uid: spec.uid }),
      groups: spec.groups ?? [],
      ...(spec.extra && { extra: spec.extra }),
    }
    const attributes = attributesOf(spec, self ? request.user : asked)
    const { allowed, denied, reason, error } = await authorize(attributes)
    const evaluationError = [...(error ? [error] : []), ...ignored(attributes)].join('; ')
    review.status = {
      allowed,
      ...(denied && { denied }),
      ...(reason && { reason }),
      ...(evaluationError && { evaluationError }),
    }
    review.metadata ??= {}
    return answer(review, 201)
  }
}

/** The handlers of the three kinds that ask about one action. */
export function accessReviewHandlers(
  authorize: Authorizer,
  clock: Pick<Clock, 'now'>,
): { subject: Handler; local: Handler; self: Handler } {
  const checkSubject: Check = (review, spec) => [
    ...attributeErrors(spec),
    ...subjectErrors(spec),
    ...selectorErrors(spec),
    ...metadataErrors(review),
  ]
  const checkSelf: Check = (review, spec) => [
    ...attributeErrors(spec),
    ...selectorErrors(spec),
    ...metadataErrors(review),
  ]
  return {
    subject: reviewHandler(authorize, clock, checkSubject, false),
    local: reviewHandler(authorize, clock, checkLocal, false),
    self: reviewHandler(authorize, clock, checkSelf, true),
  }
}
