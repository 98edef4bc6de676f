/** Rules of IngressClasses. */
import type { IngressClass, IngressClassParametersReference } from '../../generated/types/networking-v1.ts'
import { forbidden, invalid, notSupported, required, tooLong } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isDns1123Subdomain, regexError } from '../../machinery/names.ts'
import { check, checkFormat, checkLabelName, type Errors, immutableText } from '../rules.ts'
import { checkReference } from './reference.validate.ts'

const CONTROLLER_MAX = 250
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const isHttpPath = new RegExp(`^${HTTP_PATH}$`)
const SCOPES = ['Cluster', 'Namespace']

/** `domain/path`. */
function checkDomainPath(value: string, path: string, errors: Errors): void {
  if (!value) return void errors.push(required(path))
  const slash = value.indexOf('/')
  if (slash <= 0 || slash === value.length - 1) {
    errors.push(invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'))
    return
  }
  const [domain, rest] = [value.slice(0, slash), value.slice(slash + 1)]
  checkFormat(isDns1123Subdomain(domain), domain, path, errors)
  if (!isHttpPath.test(rest)) errors.push(invalid(path, rest, regexError('Invalid path', HTTP_PATH)))
}

function checkScope({ scope, namespace }: IngressClassParametersReference, path: string, errors: Errors): void {
  const at = `${path}.namespace`
  if (!SCOPES.includes(scope ?? '')) errors.push(notSupported(`${path}.scope`, scope, SCOPES))
  else if (scope === 'Cluster') {
    if (namespace !== undefined) errors.push(forbidden(at, "`parameters.scope` is set to 'Cluster'"))
  } else if (namespace === undefined) errors.push(required(at, "`parameters.scope` is set to 'Namespace'"))
  else checkLabelName(namespace, at, errors)
}

export const ingressClassRules: readonly Rule<IngressClass>[] = [
  immutableText('spec.controller'),
  check<IngressClass>(({ spec }, errors) => {
    const controller = spec?.controller ?? ''
    if (controller.length > CONTROLLER_MAX) errors.push(tooLong('spec.controller', CONTROLLER_MAX))
    checkDomainPath(controller, 'spec.controller', errors)
    if (!spec?.parameters) return
    checkReference(spec.parameters, 'spec.parameters', errors)
    checkScope(spec.parameters, 'spec.parameters', errors)
  }),
]
