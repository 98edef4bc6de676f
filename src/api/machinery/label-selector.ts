/**
 * Label selectors, as text (`app=web,tier in (a, b),!canary`) and as meta/v1 LabelSelector
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/).
 */
import type { FieldError } from './field-error.ts'
import { forbidden, invalid, required } from './field-error.ts'
import { parseSelectorText } from './label-selector-parser.ts'
import { isLabelValue, isQualifiedName } from './names.ts'

export type SelectorOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | '>' | '<'

/** One term. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: SelectorOperator
  /** Sorted; empty for exists and `!`. */
  readonly values: readonly string[]
}

/** All requirements must hold. */
export interface Selector {
  matches(labels: Readonly<Record<string, string>> | undefined): boolean
  /** Selects everything. */
  readonly empty: boolean
  /** Sorted by key. */
  readonly requirements: readonly LabelRequirement[]
  /** Text that parses to the same selector. */
  toString(): string
}

/** meta/v1 LabelSelector. */
export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

const INT = /^[+-]?\d+$/

function holds({ key, operator, values }: LabelRequirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case '=':
    case '==':
      return value === values[0] && value !== undefined
    case 'in':
      return value !== undefined && values.includes(value)
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value)
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case '>':
    case '<': {
      if (value === undefined || !INT.test(value)) return false
      return operator === '>' ? BigInt(value) > BigInt(values[0]!) : BigInt(value) < BigInt(values[0]!)
    }
  }
}

function format({ key, operator, values }: LabelRequirement): string {
  if (operator === 'exists') return key
  if (operator === '!') return `!${key}`
  if (operator === 'in' || operator === 'notin') return `${key} ${operator} (${values.join(',')})`
  return `${key}${operator}${values[0] ?? ''}`
}

const NO_LABELS = {}

function selectorOf(requirements: LabelRequirement[]): Selector {
  requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return {
    requirements,
    empty: requirements.length === 0,
    matches(labels = NO_LABELS) {
      for (const requirement of requirements) if (!holds(requirement, labels)) return false
      return true
    },
    toString: () => requirements.map(format).join(','),
  }
}

/** Selects every object. */
export const everything: Selector = selectorOf([])

/** Selects no object: what an absent LabelSelector means. */
export const nothing: Selector = { requirements: [], empty: false, matches: () => false, toString: () => '' }

/** Reads a selector's text. Throws StatusError BadRequest with Kubernetes' message. */
export function parseLabelSelector(text: string): Selector {
  return text ? selectorOf(parseSelectorText(text)) : everything
}

/** Selects objects that have all of these labels. */
export function selectorFromLabels(labels: Readonly<Record<string, string>> | undefined): Selector {
  const entries = Object.entries(labels ?? {})
  return entries.length
    ? selectorOf(entries.map(([key, value]) => ({ key, operator: '=', values: [value] })))
    : everything
}

const OPERATORS: Readonly<Record<string, SelectorOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
}

/** A meta/v1 LabelSelector, compiled: absent selects nothing, empty everything. Throws Error for an unknown operator. */
export function selectorFromLabelSelector(selector: LabelSelector | undefined | null): Selector {
  if (!selector) return nothing
  const requirements: LabelRequirement[] = []
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    requirements.push({ key, operator: '=', values: [value] })
  }
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const op = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined
    if (!op) throw new Error(`${JSON.stringify(operator)} is not a valid label selector operator`)
    requirements.push({ key, operator: op, values: [...(values ?? [])].sort() })
  }
  return requirements.length ? selectorOf(requirements) : everything
}

/** What is wrong with a meta/v1 LabelSelector. */
export function validateLabelSelector(selector: LabelSelector | undefined | null, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    for (const message of isQualifiedName(key)) errors.push(invalid(`${path}.matchLabels`, key, message))
    for (const message of isLabelValue(value)) errors.push(invalid(`${path}.matchLabels`, value, message))
  }
  selector?.matchExpressions?.forEach(({ key, operator, values = [] }, index) => {
    const at = `${path}.matchExpressions[${index}]`
    if (operator === 'In' || operator === 'NotIn') {
      if (!values.length) {
        errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length) {
        errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
      }
    } else errors.push(invalid(`${at}.operator`, operator ?? '', 'not a valid selector operator'))
    for (const message of isQualifiedName(key ?? '')) errors.push(invalid(`${at}.key`, key ?? '', message))
    values.forEach((value, i) => {
      for (const message of isLabelValue(value)) errors.push(invalid(`${at}.values[${i}]`, value, message))
    })
  })
  return errors
}
