/**
 * The rules of a schema against an object
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules).
 * All rules of one object share a budget of cost; what they say is as k8s.io/apiextensions-apiserver says it.
 */
import type { ValidationRule } from '../../generated/types/apiextensions-v1.ts'
import type { Outcome } from '../../machinery/cel/environment.ts'
import { CelError } from '../../machinery/cel/errors.ts'
import { Optional, type Value } from '../../machinery/cel/values.ts'
import { duplicate, type FieldError, forbidden, invalid, required } from '../../machinery/field-error.ts'
import { type Correlation, itemKey } from '../correlation.ts'
import type { CustomNode } from '../node.ts'
import { fieldPathOf } from '../schema-path.ts'
import type { CompiledRule } from './compile.ts'
import { type RuleNode, ruleTree } from './tree.ts'

/** What all rules of one object may cost together. */
const BUDGET = 10_000_000
const MESSAGE_LIMIT = 5 * 1024
const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run'

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What did not change since the old object: here, or in the nearest part above that can be compared. */
interface Ratchet {
  readonly here: Correlation | undefined
  readonly above: Correlation | undefined
}

interface Run {
  budget: number
  readonly errors: FieldError[]
  warn?(text: string): void
}

export interface EvaluateOptions {
  readonly node: CustomNode
  readonly value: unknown
  /** undefined: there is none to compare with. */
  readonly old: unknown
  readonly isResource: boolean
  /** Path of the value. */
  readonly path?: string
  readonly correlation?: Correlation
  /** Told of what is wrong and passes because it did not change. */
  readonly warn?: ((text: string) => void) | undefined
}

/** What the rules of a schema say of a value. */
export function evaluateRules(options: EvaluateOptions): FieldError[] {
  const tree = ruleTree(options.node, options.isResource)
  if (!tree) return []
  const run: Run = { budget: BUDGET, errors: [], ...(options.warn && { warn: options.warn }) }
  visit(run, tree, options.path ?? '', options.value, options.old, { here: options.correlation, above: undefined })
  return run.errors
}

const isUnchanged = ({ here, above }: Ratchet) => (here ? here.unchanged : above?.unchanged === true)

function below({ here, above }: Ratchet, step: (of: Correlation) => Correlation | undefined): Ratchet {
  return here ? { here: step(here), above: here } : { here, above }
}

function visit(run: Run, tree: RuleNode, path: string, value: unknown, old: unknown, ratchet: Ratchet): void {
  if (value === null || value === undefined) return
  evaluateHere(run, tree, path, value, old, ratchet)
  if (run.budget < 0) return
  if (Array.isArray(value)) visitItems(run, tree, path, value, old, ratchet)
  else if (isObject(value)) visitFields(run, tree, path, value, old, ratchet)
}

function visitItems(run: Run, tree: RuleNode, path: string, list: unknown[], old: unknown, ratchet: Ratchet): void {
  const { items, node } = tree
  if (!items) return
  const before = new Map<string, unknown>()
  if (node.listType === 'map' && Array.isArray(old)) {
    for (const item of old.toReversed()) before.set(itemKey(node, item) ?? '', item)
  }
  list.forEach((item, index) => {
    if (run.budget < 0) return
    const was = before.get(itemKey(node, item) ?? '')
    const at = below(ratchet, of => of.item(index))
    visit(run, items, `${path}[${index}]`, item, was, at)
  })
}

function visitFields(run: Run, tree: RuleNode, path: string, object: Json, old: unknown, ratchet: Ratchet): void {
  const before = isObject(old) ? old : {}
  for (const key in object) {
    if (run.budget < 0) return
    const isProperty = tree.node.properties.has(key)
    const child = isProperty ? tree.property(key) : tree.values
    if (!child) continue
    const at = isProperty ? (path ? `${path}.${key}` : key) : `${path}[${key}]`
    visit(
      run,
      child,
      at,
      object[key],
      before[key],
      below(ratchet, of => of.field(key)),
    )
  }
}

const told = ({ message, rule }: ValidationRule) => (message || rule).trim()

/** The variables of a rule; its own value is made once for all rules of a place. */
interface Variables {
  readonly self: Value
  readonly oldSelf: Value | undefined
}

function variablesOf(tree: RuleNode, value: unknown, old: unknown): Variables | CelError {
  try {
    return {
      self: tree.value(value),
      oldSelf: old === undefined || old === null ? undefined : tree.value(old),
    }
  } catch (error) {
    if (error instanceof CelError) return error
    throw error
  }
}

function evaluateHere(run: Run, tree: RuleNode, path: string, value: unknown, old: unknown, ratchet: Ratchet): void {
  const { rules, node } = tree
  if (!rules.length) return
  const place: Place = { path: path || '<nil>', node, value, ratchet, isUnchanged: () => isUnchanged(ratchet) }
  if (run.budget <= 0) {
    exhaust(run, place, OUT_OF_BUDGET)
    return
  }
  const variables = variablesOf(tree, value, old)
  for (const rule of rules) {
    if (run.budget < 0) return
    evaluateRule(run, rule, place, variables)
  }
}

interface Place {
  readonly path: string
  readonly node: CustomNode
  readonly value: unknown
  readonly ratchet: Ratchet
  isUnchanged(): boolean
}

function exhaust(run: Run, { path, node }: Place, detail: string): void {
  run.errors.push(invalid(path, node.type, detail))
  run.budget = -1
}

/** Takes what an evaluation cost from the budget; false where that was the end of it. */
function pay(run: Run, cost: number, place: Place): boolean {
  if (cost > run.budget) {
    exhaust(run, place, OUT_OF_BUDGET)
    return false
  }
  run.budget -= cost
  return true
}

function evaluateRule(run: Run, compiled: CompiledRule, place: Place, variables: Variables | CelError): void {
  const { rule, program, error, usesOldSelf } = compiled
  const { path, node } = place
  if (error !== undefined) {
    run.errors.push(invalid(path, node.type, `rule compile error: ${error}`))
    return
  }
  if (!program) return
  if (variables instanceof CelError) {
    run.errors.push(invalid(path, node.type, `${variables.message} evaluating rule: ${told(rule)}`))
    return
  }
  // A transition can only be judged where there was something before, unless the rule says that it copes.
  if (usesOldSelf && variables.oldSelf === undefined && !rule.optionalOldSelf) return
  const oldSelf = rule.optionalOldSelf ? new Optional(variables.oldSelf) : variables.oldSelf
  const bound = { self: variables.self, oldSelf }
  const outcome = program.run(bound)
  if (!pay(run, outcome.cost, place)) return
  if ('error' in outcome) fault(run, outcome, rule, place)
  else if (outcome.value !== true) refuse(run, compiled, place, bound)
}

function fault(
  run: Run,
  { error, exceeded }: Extract<Outcome, { readonly error: string }>,
  rule: ValidationRule,
  place: Place,
): void {
  const { path, node } = place
  if (exceeded) {
    const detail = `'${error}': no further validation rules will be run due to call cost exceeds limit for rule: ${told(rule)}`
    exhaust(run, place, detail)
  } else if (error.startsWith('no such overload')) {
    const detail = `'${error}': call arguments did not match a supported operator, function or macro signature for rule: ${told(rule)}`
    run.errors.push(invalid(path, node.type, detail))
  } else run.errors.push(invalid(path, node.type, `${error} evaluating rule: ${told(rule)}`))
}

/** The rule does not hold: says so in its own words. */
function refuse(
  run: Run,
  compiled: CompiledRule,
  place: Place,
  variables: { self: Value; oldSelf: Value | undefined },
): void {
  const { rule, usesOldSelf, message } = compiled
  const field = rule.fieldPath ? joined(place.path, fieldPathOf(place.node, rule.fieldPath)) : place.path
  const report = (error: FieldError) => {
    if (usesOldSelf || !place.isUnchanged()) run.errors.push(error)
    else run.warn?.(`${error.field}: ${error.message}`)
  }
  let detail: string | undefined
  if (message && 'program' in message) {
    const outcome = message.program.run(variables)
    if (outcome.cost > run.budget || ('error' in outcome && outcome.exceeded)) {
      const why =
        outcome.cost > run.budget
          ? 'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run'
          : `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${JSON.stringify(rule.messageExpression)}`
      report(invalid(field, place.node.type, why))
      run.budget = -1
      return
    }
    run.budget -= outcome.cost
    detail = 'value' in outcome ? usableMessage(outcome.value) : undefined
  }
  detail ??= rule.message ? rule.message.trim() : `failed rule: ${told(rule)}`
  report(errorFor(rule.reason, field, place, detail))
}

function usableMessage(value: Value): string | undefined {
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' || text.includes('\n') || Buffer.byteLength(text) > MESSAGE_LIMIT ? undefined : text
}

const joined = (path: string, below: string) => (path === '<nil>' ? below : below ? `${path}.${below}` : path)

function errorFor(reason: ValidationRule['reason'], field: string, place: Place, detail: string): FieldError {
  // Objects and lists are not repeated.
  const { type } = place.node
  const omitted = type === 'object' || type === 'array'
  const message = `Invalid value: ${detail}`
  if (reason === 'FieldValueForbidden') return forbidden(field, detail)
  if (reason === 'FieldValueRequired') return required(field, detail)
  if (reason === 'FieldValueDuplicate') {
    return omitted
      ? { reason: 'FieldValueDuplicate', field, message: 'Duplicate value' }
      : duplicate(field, place.value)
  }
  return omitted ? { reason: 'FieldValueInvalid', field, message } : invalid(field, place.value, detail)
}
