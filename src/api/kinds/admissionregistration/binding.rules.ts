/** Rules of bindings of policies. */
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts'
import { type LabelSelector, validateLabelSelector } from '../../machinery/label-selector.ts'
import { isDns1123Subdomain, isPathSegment } from '../../machinery/names.ts'
import { type MatchResourcesSpec, matchResourcesErrors, mutableOperationErrors } from './match.rules.ts'

interface BindingSpec {
  readonly policyName?: string
  readonly paramRef?: ParamRef
  readonly matchResources?: MatchResourcesSpec
  readonly validationActions?: readonly string[]
}

interface ParamRef {
  readonly name?: string
  readonly selector?: LabelSelector
  readonly parameterNotFoundAction?: string
}

const EXCLUSIVE = 'name and selector are mutually exclusive'
const NOT_FOUND_ACTIONS = ['Deny', 'Allow']
const ACTIONS = ['Audit', 'Deny', 'Warn']

function paramRefErrors(ref: ParamRef | undefined, path: string): FieldError[] {
  if (ref === undefined) return []
  const { name, selector, parameterNotFoundAction: action } = ref
  const errors: FieldError[] = []
  if (name) {
    for (const detail of isPathSegment(name)) errors.push(invalid(`${path}.name`, name, detail))
    if (selector) errors.push(forbidden(`${path}.name`, EXCLUSIVE))
  }
  if (selector) {
    errors.push(...validateLabelSelector(selector, `${path}.selector`))
    if (name) errors.push(forbidden(`${path}.selector`, EXCLUSIVE))
  }
  if (!name && !selector) errors.push(required(path, 'one of name or selector must be specified'))
  if (!action) errors.push(required(`${path}.parameterNotFoundAction`))
  else if (!NOT_FOUND_ACTIONS.includes(action))
    errors.push(notSupported(`${path}.parameterNotFoundAction`, action, NOT_FOUND_ACTIONS))
  return errors
}

function actionErrors(actions: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [index, action] of actions.entries()) {
    if (!ACTIONS.includes(action)) errors.push(notSupported(`${path}[${index}]`, action, ACTIONS))
    if (actions.indexOf(action) < index) errors.push(duplicate(`${path}[${index}]`, action))
  }
  if (actions.includes('Deny') && actions.includes('Warn')) {
    const why = 'repeating the same validation failure information in the API response and headers serves no purpose'
    errors.push(invalid(path, actions, `must not contain both Deny and Warn (${why})`))
  }
  if (actions.length === 0) errors.push(required(path, 'at least one validation action is required'))
  return errors
}

function commonErrors({ policyName, paramRef, matchResources }: BindingSpec): FieldError[] {
  const name = policyName
    ? isDns1123Subdomain(policyName).map(detail => invalid('spec.policyName', policyName, detail))
    : [required('spec.policyName')]
  return [
    ...name,
    ...paramRefErrors(paramRef, 'spec.paramRef'),
    ...matchResourcesErrors(matchResources, 'spec.matchResources'),
  ]
}

/** The rules of a ValidatingAdmissionPolicyBinding. */
export const validatingBindingRule = ({ spec = {} }: { readonly spec?: BindingSpec }): FieldError[] => [
  ...commonErrors(spec),
  ...actionErrors(spec.validationActions ?? [], 'spec.validationActions'),
]

/** The rules of a MutatingAdmissionPolicyBinding. */
export const mutatingBindingRule = ({ spec = {} }: { readonly spec?: BindingSpec }): FieldError[] => [
  ...commonErrors(spec),
  ...mutableOperationErrors(spec.matchResources, 'spec.matchResources'),
]
