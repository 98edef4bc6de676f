/**
 * Rules of policies with expressions. Kinds load this when the first policy is written, as it brings CEL along.
 */
import {
  type MatchResourcesSpec,
  matchResourcesErrors,
  mutableOperationErrors,
} from '../kinds/admissionregistration/match.rules.ts'
import type { CelType } from '../machinery/cel/types.ts'
import { duplicate, type FieldError, invalid, notSupported, required, tooMany } from '../machinery/field-error.ts'
import { isDns1035Label, isDns1123Subdomain, isQualifiedName } from '../machinery/names.ts'
import { PolicyCompiler, RESULTS } from './compile.ts'

interface Expression {
  readonly name?: string
  readonly expression?: string
}

interface Validation {
  readonly expression?: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
}

interface AuditAnnotation {
  readonly key?: string
  readonly valueExpression?: string
}

interface Mutation {
  readonly patchType?: string
  readonly jsonPatch?: Expression
  readonly applyConfiguration?: Expression
}

interface PolicySpec {
  readonly failurePolicy?: string
  readonly paramKind?: { readonly apiVersion?: string; readonly kind?: string }
  readonly matchConstraints?: MatchResourcesSpec
  readonly matchConditions?: readonly Expression[]
  readonly variables?: readonly Expression[]
  readonly validations?: readonly Validation[]
  readonly auditAnnotations?: readonly AuditAnnotation[]
  readonly mutations?: readonly Mutation[]
  readonly reinvocationPolicy?: string
}

/** A policy, as far as its rules read it. */
export interface PolicyObject {
  readonly metadata?: { readonly name?: string }
  readonly spec?: PolicySpec
}

const FAILURE_POLICIES = ['Fail', 'Ignore']
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const REINVOCATION_POLICIES = ['IfNeeded', 'Never']
const PATCH_TYPES = ['ApplyConfiguration', 'JSONPatch']
const MAX_CONDITIONS = 64
const MAX_ANNOTATIONS = 20
const MAX_ANNOTATION_EXPRESSION = 5 * 1024

const blank = (text: string | undefined) => text === undefined || text.trim() === ''

/** One of the values, which must be there. An empty one is none of them. */
function oneOf(field: string, value: string | undefined, values: readonly string[]): FieldError[] {
  if (value === undefined) return [required(field)]
  return values.includes(value) ? [] : [notSupported(field, value, values)]
}

/** What compiling an expression has to say about it. */
function expressionErrors(
  compiler: PolicyCompiler,
  expression: string,
  wanted: readonly CelType[],
  field: string,
  authorizer = true,
): FieldError[] {
  const { result } = compiler.compile(expression, wanted, authorizer)
  return 'run' in result ? [] : [expressionError(field, expression, result.message)]
}

/** An expression that cannot be run although it is sound is an error of another kind. */
function expressionError(field: string, expression: string, message: string): FieldError {
  if (!message.startsWith('program instantiation failed')) return invalid(field, expression, message)
  return { reason: 'InternalError', field, message: `Internal error: ${message}` }
}

/** What is wrong with the match conditions of a webhook or a policy; they may not use variables. */
export function matchConditionsErrors(
  conditions: readonly Expression[] | undefined,
  path: string,
  params = false,
): FieldError[] {
  const compiler = new PolicyCompiler({ params }, false)
  const names = new Set<string>()
  const errors: FieldError[] = []
  if ((conditions?.length ?? 0) > MAX_CONDITIONS) errors.push(tooMany(path, conditions?.length ?? 0, MAX_CONDITIONS))
  for (const [index, { name = '', expression = '' }] of (conditions ?? []).entries()) {
    const at = `${path}[${index}]`
    if (blank(expression)) errors.push(required(`${at}.expression`))
    else errors.push(...expressionErrors(compiler, expression.trim(), RESULTS.condition, `${at}.expression`))
    if (name === '') errors.push(required(`${at}.name`))
    for (const detail of name === '' ? [] : isQualifiedName(name)) errors.push(invalid(`${at}.name`, name, detail))
    if (name !== '' && names.has(name)) errors.push(duplicate(`${at}.name`, name))
    names.add(name)
  }
  return errors
}

function paramKindErrors({ apiVersion = '', kind = '' }: NonNullable<PolicySpec['paramKind']>): FieldError[] {
  const errors = apiVersion === '' ? [required('spec.paramKind.apiVersion')] : groupVersionErrors(apiVersion)
  if (kind === '') return [...errors, required('spec.paramKind.kind')]
  const details = isDns1035Label(kind.toLowerCase())
  if (details.length === 0) return errors
  const detail = `may have mixed case, but should otherwise match: ${details.join(',')}`
  return [...errors, invalid('spec.paramKind.kind', kind, detail)]
}

function groupVersionErrors(apiVersion: string): FieldError[] {
  const field = 'spec.paramKind.apiVersion'
  const parts = apiVersion === '/' ? ['', ''] : apiVersion.split('/')
  if (parts.length > 2) return [invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
  const [group, version] = parts.length === 2 ? (parts as [string, string]) : ['', parts[0] as string]
  const errors: FieldError[] = []
  const groupDetails = group === '' ? [] : isDns1123Subdomain(group)
  if (groupDetails.length > 0) errors.push(invalid(field, group, groupDetails.join(',')))
  if (version === '') return [...errors, invalid(field, apiVersion, 'version must be specified')]
  const details = isDns1035Label(version)
  return details.length > 0 ? [...errors, invalid(field, version, details.join(','))] : errors
}

const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

function variableErrors(compiler: PolicyCompiler, variables: readonly Expression[]): FieldError[] {
  return variables.flatMap(({ name = '', expression = '' }, index) => {
    const at = `spec.variables[${index}]`
    const errors: FieldError[] = []
    if (blank(name)) errors.push(required(`${at}.name`, 'name is not specified'))
    else if (!IDENTIFIER.test(name) || RESERVED.has(name))
      errors.push(invalid(`${at}.name`, name, 'must be a valid CEL identifier'))
    if (blank(expression)) return [...errors, required(`${at}.expression`, 'expression is not specified')]
    const { result } = compiler.addVariable(name, expression)
    return 'run' in result ? errors : [...errors, expressionError(`${at}.expression`, expression, result.message)]
  })
}

function validationErrors(compiler: PolicyCompiler, validation: Validation, at: string): FieldError[] {
  const { expression = '', message = '', messageExpression = '', reason } = validation
  const errors = blank(expression)
    ? [required(`${at}.expression`, 'expression is not specified')]
    : expressionErrors(compiler, expression, RESULTS.condition, `${at}.expression`)
  if (messageExpression !== '') {
    const field = `${at}.messageExpression`
    if (blank(messageExpression)) errors.push(invalid(field, messageExpression, 'must be non-empty if specified'))
    else errors.push(...expressionErrors(compiler, messageExpression, RESULTS.message, field, false))
  }
  if (message !== '' && blank(message)) errors.push(invalid(`${at}.message`, message, 'must be non-empty if specified'))
  else if (/[\n\r]/.test(message.trim())) errors.push(invalid(`${at}.message`, message, 'must not contain line breaks'))
  if (reason !== undefined && !REASONS.includes(reason)) errors.push(notSupported(`${at}.reason`, reason, REASONS))
  return errors
}

/** As the error about all of them shows one. */
const asGo = ({ key: Key, valueExpression: ValueExpression }: AuditAnnotation) => ({ Key, ValueExpression })

function annotationErrors(
  compiler: PolicyCompiler,
  annotations: readonly AuditAnnotation[],
  policy: string,
): FieldError[] {
  const path = 'spec.auditAnnotations'
  const errors: FieldError[] = []
  if (annotations.length > MAX_ANNOTATIONS)
    errors.push(invalid(path, annotations.map(asGo), `must not have more than ${MAX_ANNOTATIONS} auditAnnotations`))
  const keys = new Set<string>()
  for (const [index, { key = '', valueExpression = '' }] of annotations.entries()) {
    const at = `${path}[${index}]`
    const field = `${at}.valueExpression`
    const name = `${policy}/${key}`
    if (policy === '') errors.push(invalid(`${at}.key`, key, 'requires metadata.name be non-empty'))
    else for (const detail of isQualifiedName(name)) errors.push(invalid(`${at}.key`, name, detail))
    if (blank(valueExpression)) errors.push(required(field, 'valueExpression is not specified'))
    else if (valueExpression.trim().length > MAX_ANNOTATION_EXPRESSION)
      errors.push(required(field, `must not exceed ${MAX_ANNOTATION_EXPRESSION} bytes in length`))
    else errors.push(...expressionErrors(compiler, valueExpression.trim(), RESULTS.annotation, field))
    if (keys.has(key)) errors.push(duplicate(`${at}.key`, key))
    keys.add(key)
  }
  return errors
}

/** What both kinds of policies have in common, before their expressions. */
function commonErrors(spec: PolicySpec): FieldError[] {
  const rules = spec.matchConstraints?.resourceRules ?? []
  const constraints =
    spec.matchConstraints === undefined
      ? [required('spec.matchConstraints')]
      : matchResourcesErrors(spec.matchConstraints, 'spec.matchConstraints')
  return [
    ...oneOf('spec.failurePolicy', spec.failurePolicy, FAILURE_POLICIES),
    ...(spec.paramKind === undefined ? [] : paramKindErrors(spec.paramKind)),
    ...constraints,
    ...(spec.matchConstraints !== undefined && rules.length === 0
      ? [required('spec.matchConstraints.resourceRules')]
      : []),
  ]
}

const NOTHING = 'validations or auditAnnotations must contain at least one item'

/** The rules of a ValidatingAdmissionPolicy. */
export function validatingPolicyErrors({ metadata, spec = {} }: PolicyObject): FieldError[] {
  const { validations = [], auditAnnotations = [] } = spec
  const params = spec.paramKind !== undefined
  const compiler = new PolicyCompiler({ params }, (spec.variables ?? []).length > 0)
  const errors = [
    ...commonErrors(spec),
    ...matchConditionsErrors(spec.matchConditions, 'spec.matchConditions', params),
    ...variableErrors(compiler, spec.variables ?? []),
  ]
  if (validations.length === 0 && auditAnnotations.length === 0)
    return [...errors, required('spec.validations', NOTHING), required('spec.auditAnnotations', NOTHING)]
  return [
    ...errors,
    ...validations.flatMap((each, index) => validationErrors(compiler, each, `spec.validations[${index}]`)),
    ...annotationErrors(compiler, auditAnnotations, metadata?.name ?? ''),
  ]
}

/** The rules of a MutatingAdmissionPolicy. */
export function mutatingPolicyErrors({ spec = {} }: PolicyObject): FieldError[] {
  const { mutations = [] } = spec
  const params = spec.paramKind !== undefined
  const compiler = new PolicyCompiler({ params, mutation: true })
  return [
    ...commonErrors(spec),
    ...mutableOperationErrors(spec.matchConstraints, 'spec.matchConstraints'),
    ...matchConditionsErrors(spec.matchConditions, 'spec.matchConditions', params),
    ...variableErrors(compiler, spec.variables ?? []),
    ...(mutations.length === 0 ? [required('spec.mutations', 'mutations must contain at least one item')] : []),
    ...mutations.flatMap((each, index) => mutationErrors(compiler, each, `spec.mutations[${index}]`)),
    ...oneOf('spec.reinvocationPolicy', spec.reinvocationPolicy || undefined, REINVOCATION_POLICIES),
  ]
}

function mutationErrors(compiler: PolicyCompiler, mutation: Mutation, at: string): FieldError[] {
  const { patchType = '' } = mutation
  const known = oneOf(`${at}.patchType`, patchType || undefined, PATCH_TYPES)
  if (known.length > 0) return known
  const apply = patchType === 'ApplyConfiguration'
  const [own, other] = apply ? ['applyConfiguration', 'jsonPatch'] : ['jsonPatch', 'applyConfiguration']
  const given = mutation[own as 'jsonPatch']
  const errors: FieldError[] = []
  const field = `${at}.${own}.expression`
  if (given === undefined) errors.push(required(`${at}.${own}`, `must be specified when patchType is ${patchType}`))
  else if (blank(given.expression)) errors.push(required(field))
  else {
    const wanted = apply ? RESULTS.applyConfiguration : RESULTS.jsonPatch
    errors.push(...expressionErrors(compiler, (given.expression ?? '').trim(), wanted, field))
  }
  if (mutation[other as 'jsonPatch'] !== undefined)
    errors.push(invalid(`${at}.${other}`, `{${other}}`, `must not be specified when patchType is ${patchType}`))
  return errors
}
