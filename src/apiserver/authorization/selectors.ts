/**
 * Field and label selectors as authorizers see them (KEP-4601): requirements that all hold for what is asked. One that
 * cannot be read is left out: the question becomes a broader one, never a narrower.
 */
import { parseFieldSelector } from '../../api/machinery/field-selector.ts'
import { type LabelRequirement, parseLabelSelector } from '../../api/machinery/label-selector.ts'
import { isLabelValue, isQualifiedName } from '../../api/machinery/names.ts'

/** meta/v1 LabelSelectorRequirement and FieldSelectorRequirement. */
export interface SelectorRequirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

export interface Selection {
  readonly requirements: readonly SelectorRequirement[]
  /** Something of the selector could not be read. */
  readonly broken?: boolean
}

/** authorization.k8s.io FieldSelectorAttributes and LabelSelectorAttributes. */
export interface SelectorAttributes {
  readonly rawSelector?: string
  readonly requirements?: readonly SelectorRequirement[]
}

/** Verbs whose requests may select. */
const SELECTING = new Set(['list', 'watch', 'deletecollection'])

const BROKEN: Selection = { requirements: [], broken: true }

const OPERATORS: Readonly<Record<string, string>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
}

function fieldsOfText(text: string): Selection {
  try {
    const requirements = parseFieldSelector(text).map(({ field, operator, value }) => ({
      key: field,
      operator: operator === '=' ? 'In' : 'NotIn',
      values: [value],
    }))
    return { requirements }
  } catch {
    return BROKEN
  }
}

/** `>` and `<` have no form in a review: they are left out. */
const shown = ({ key, operator, values }: LabelRequirement): SelectorRequirement[] => {
  const name = OPERATORS[operator]
  return name ? [{ key, operator: name, ...(values.length && { values }) }] : []
}

function labelsOfText(text: string): Selection {
  try {
    return { requirements: parseLabelSelector(text).requirements.flatMap(shown) }
  } catch {
    return BROKEN
  }
}

const nonEmpty = (selection: Selection) => selection.requirements.length > 0 || selection.broken

/** The selectors of a request's query; nothing for verbs that do not select. */
export function requestSelections(
  verb: string,
  query: URLSearchParams,
): { fieldSelector?: Selection; labelSelector?: Selection } {
  if (query.size === 0 || !SELECTING.has(verb)) return {}
  const field = query.get('fieldSelector')
  const label = query.get('labelSelector')
  const fieldSelector = field ? fieldsOfText(field) : undefined
  const labelSelector = label ? labelsOfText(label) : undefined
  return {
    ...(fieldSelector && nonEmpty(fieldSelector) && { fieldSelector }),
    ...(labelSelector && nonEmpty(labelSelector) && { labelSelector }),
  }
}

const fieldTerm = ({ operator, values = [] }: SelectorRequirement) =>
  (operator === 'In' || operator === 'NotIn') && values.length === 1

function labelTerm({ key, operator, values = [] }: SelectorRequirement): boolean {
  if (isQualifiedName(key).length || values.some(value => isLabelValue(value).length)) return false
  if (operator === 'In' || operator === 'NotIn') return values.length > 0
  return (operator === 'Exists' || operator === 'DoesNotExist') && values.length === 0
}

function gathered(
  attributes: SelectorAttributes | undefined,
  ofText: (text: string) => Selection,
  isGood: (requirement: SelectorRequirement) => boolean,
): Selection | undefined {
  if (attributes?.requirements?.length) {
    const requirements = attributes.requirements.filter(requirement => requirement?.key && isGood(requirement))
    return { requirements, ...(requirements.length < attributes.requirements.length && { broken: true }) }
  }
  return attributes?.rawSelector ? ofText(attributes.rawSelector) : undefined
}

/** The field selector of a review. */
export const reviewedFields = (attributes: SelectorAttributes | undefined) =>
  gathered(attributes, fieldsOfText, fieldTerm)

/** The label selector of a review. */
export const reviewedLabels = (attributes: SelectorAttributes | undefined) =>
  gathered(attributes, labelsOfText, labelTerm)

/** Whether a selection holds only objects whose `field` is `value`. */
export const selectsExactly = (selection: Selection | undefined, field: string, value: string): boolean =>
  selection?.requirements.some(
    ({ key, operator, values }) => key === field && operator === 'In' && values?.length === 1 && values[0] === value,
  ) ?? false
