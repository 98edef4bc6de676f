/** A question to an authorizer as a SubjectAccessReview asks it (API doc: authorization.k8s.io/v1). Pure. */
import type { Attributes } from './authorizer.ts'
import type { SelectorAttributes } from './selectors.ts'

export interface ReviewSpec {
  readonly resourceAttributes?: {
    readonly namespace?: string
    readonly verb?: string
    readonly group?: string
    readonly version?: string
    readonly resource?: string
    readonly subresource?: string
    readonly name?: string
    readonly fieldSelector?: SelectorAttributes
    readonly labelSelector?: SelectorAttributes
  }
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string }
  readonly user?: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** Without the fields that are empty. */
const filled = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')) as T

/** The review that asks the question. Selectors that could not be read whole go as far as they could. */
export function reviewOf(attributes: Attributes): ReviewSpec {
  const { user, verb, namespace, group, version, resource, subresource, name, fieldSelector, labelSelector } =
    attributes
  const selector = (of: typeof fieldSelector) => of?.requirements.length && { requirements: of.requirements }
  const [fields, labels] = [selector(fieldSelector), selector(labelSelector)]
  return {
    ...(attributes.isResource
      ? {
          resourceAttributes: {
            ...filled({ namespace, verb, group, version, resource, subresource, name }),
            ...(fields && { fieldSelector: fields }),
            ...(labels && { labelSelector: labels }),
          },
        }
      : { nonResourceAttributes: filled({ path: attributes.path, verb }) }),
    user: user.name,
    ...(user.uid && { uid: user.uid }),
    ...(user.groups.length && { groups: user.groups }),
    ...(user.extra && Object.keys(user.extra).length && { extra: user.extra }),
  }
}
