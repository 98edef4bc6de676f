import { jsonValue } from '../../../api/machinery/cel/json-value.ts'
import { AuthorizerValue, type CelAuthorizer, ResourceCheck } from '../../../api/machinery/cel/library/authorizer.ts'
import type { Variables } from '../../../api/machinery/cel/runtime/frame.ts'
import type { Kind } from '../../../api/machinery/kind.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import type { Authorizer } from '../../authorization/authorizer.ts'
import { reviewedFields, reviewedLabels } from '../../authorization/selectors.ts'
import { namespaceOf } from '../matching/rules.ts'
import type { AdmissionAttributes } from '../plugin.ts'

/** A request as expressions see it, in the shape of one kind. */
export interface RequestShape {
  /** The kind as which a rule names the request. */
  readonly as: Kind
  readonly object: KubeObject | undefined
  readonly old: KubeObject | undefined
}

const gvr = ({ group, version, plural }: Kind) => ({ group, version, resource: plural })

/** The AdmissionRequest of a request, without its objects. */
function admissionRequest(request: AdmissionAttributes, as: Kind): Record<string, unknown> {
  const { kind, objectKind, subresource, user, options } = request
  const own = objectKind.kind === kind.kind
  const shown = own ? as : objectKind
  const namespace = namespaceOf(request)
  const gvk = ({ group, version, kind: name }: { group: string; version: string; kind: string }) => ({
    group,
    version,
    kind: name,
  })
  return {
    uid: '',
    kind: gvk(shown),
    resource: gvr(as),
    ...(subresource && { subResource: subresource }),
    requestKind: gvk(objectKind),
    requestResource: gvr(kind),
    ...(subresource && { requestSubResource: subresource }),
    ...(request.name && { name: request.name }),
    ...(namespace && { namespace }),
    operation: request.operation,
    userInfo: {
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      groups: user.groups,
      ...(user.extra && { extra: user.extra }),
    },
    object: null,
    oldObject: null,
    dryRun: request.dryRun,
    options: Object.keys(options).length > 0 ? options : null,
  }
}

/** The authorizer as expressions ask it, for the user of the request. */
export function celAuthorizer(authorize: Authorizer, request: AdmissionAttributes): CelAuthorizer {
  return access => {
    const account = access.serviceAccount
    const user = account === undefined ? request.user : accountUser(account)
    const fields = reviewedFields({ rawSelector: access.fieldSelector ?? '' })
    const labels = reviewedLabels({ rawSelector: access.labelSelector ?? '' })
    const decision = authorize({
      user,
      verb: access.verb,
      isResource: access.path === undefined,
      group: access.group ?? '',
      version: access.path === undefined ? '*' : '',
      namespace: access.namespace ?? '',
      resource: access.resource ?? '',
      subresource: access.subresource ?? '',
      name: access.name ?? '',
      path: access.path ?? '',
      ...(fields && { fieldSelector: fields }),
      ...(labels && { labelSelector: labels }),
    })
    const told = ({ allowed, reason = '', error = '' }: Awaited<typeof decision>) => ({ allowed, reason, error })
    return decision instanceof Promise ? decision.then(told) : told(decision)
  }
}

const accountUser = ({ namespace, name }: { namespace: string; name: string }) => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
})

/** The variables that all policies share for one request. One for each request: the authorizer's answers are kept. */
export class RequestInput {
  readonly #request: AdmissionAttributes
  readonly #authorizer: AuthorizerValue
  readonly #requests = new Map<string, Record<string, unknown>>()

  constructor(request: AdmissionAttributes, authorize: Authorizer) {
    this.#request = request
    this.#authorizer = new AuthorizerValue(celAuthorizer(authorize, request))
  }

  /** The same for match conditions: to them, the resource of a request is that which it names. */
  forConditions(variables: Variables, as: Kind): Variables {
    const { kind } = this.#request
    if (as === kind) return variables
    return { ...variables, request: jsonValue({ ...this.#requestAs(as), resource: gvr(kind) }) }
  }

  #requestAs(as: Kind): Record<string, unknown> {
    let request = this.#requests.get(as.key)
    if (request === undefined) {
      request = admissionRequest(this.#request, as)
      this.#requests.set(as.key, request)
    }
    return request
  }

  /** The variables for a policy, without `variables`. */
  variables(shape: RequestShape, namespace: KubeObject | undefined, params?: KubeObject | null): Variables {
    const request = this.#requestAs(shape.as)
    return {
      object: jsonValue(shape.object ?? null),
      oldObject: jsonValue(shape.old ?? null),
      request: jsonValue(request),
      namespaceObject: jsonValue(namespace ?? null),
      params: jsonValue(params ?? null),
      authorizer: this.#authorizer,
      'authorizer.requestResource': this.#requestResource(),
    }
  }

  #requestResource(): ResourceCheck {
    const { kind, subresource, name } = this.#request
    const namespace = namespaceOf(this.#request)
    return new ResourceCheck(this.#authorizer, {
      group: kind.group,
      resource: kind.plural,
      ...(subresource && { subresource }),
      ...(namespace && { namespace }),
      ...(name && { name }),
    })
  }
}
