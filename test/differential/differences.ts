/** Where two answers differ. */
import type { Answer } from './ask.ts'

export interface Difference {
  /** Where in the answer: `status`, `warnings`, `body.metadata.name`. */
  readonly at: string
  readonly expected: unknown
  readonly actual: unknown
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function compare(at: string, expected: unknown, actual: unknown, found: Difference[]) {
  if (Object.is(expected, actual)) return
  const alike = isObject(expected) && isObject(actual) && Array.isArray(expected) === Array.isArray(actual)
  if (!alike || (Array.isArray(expected) && expected.length !== (actual as unknown as unknown[]).length)) {
    found.push({ at, expected, actual })
    return
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const step = Array.isArray(expected) ? `[${key}]` : `.${key}`
    compare(at + step, expected[key], actual[key], found)
  }
}

interface Cause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const textOf = ({ field, reason, message }: Cause) => JSON.stringify([field, reason, message])

/** Errors count as a set: Go says them in the order of its maps, and those of metadata twice. */
function withCausesSorted(body: unknown): unknown {
  const { message, details } = (body ?? {}) as { message?: string; details?: { causes?: Cause[] } }
  const causes = details?.causes
  if (!causes || causes.length < 2) return body
  const unique = new Map(causes.map(cause => [textOf(cause), cause]))
  const sorted = [...unique].sort(([a], [b]) => compareText(a, b)).map(([, cause]) => cause)
  const text = sorted.length > 1 ? message?.replace(/: \[.*\]$/s, ': [the causes]') : message
  return { ...(body as object), message: text, details: { ...details, causes: sorted } }
}

const orderOf = (entry: unknown) => {
  const { manager, operation, subresource, apiVersion } = (entry ?? {}) as Record<string, unknown>
  return JSON.stringify([manager, operation, subresource, apiVersion])
}

/** Managers count as a set: they stand in the order of their times, so it matters which fell into one second. */
function withManagersSorted(value: unknown): unknown {
  if (!isObject(value)) return value
  if (Array.isArray(value)) return value.map(withManagersSorted)
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key !== 'managedFields' || !Array.isArray(inner)) return [key, withManagersSorted(inner)]
      return [key, inner.toSorted((a, b) => compareText(orderOf(a), orderOf(b)))]
    }),
  )
}

/** What somebody may do counts as a set: Go gathers it in the order of a map of bindings. */
function withRulesSorted(body: unknown): unknown {
  const { kind, status } = (body ?? {}) as { kind?: string; status?: Record<string, unknown> }
  if (kind !== 'SelfSubjectRulesReview' || !status) return body
  const sorted = (rules: unknown) =>
    Array.isArray(rules) ? rules.toSorted((a, b) => compareText(JSON.stringify(a), JSON.stringify(b))) : rules
  const { resourceRules, nonResourceRules } = status
  const rules = { resourceRules: sorted(resourceRules), nonResourceRules: sorted(nonResourceRules) }
  return { ...(body as object), status: { ...status, ...rules } }
}

const canonical = (body: unknown) => withManagersSorted(withCausesSorted(withRulesSorted(body)))

/** All differences between the answer that a real server gave and ours. */
export function differences(expected: Answer, actual: Answer): Difference[] {
  const found: Difference[] = []
  compare('status', expected.status, actual.status, found)
  compare('warnings', expected.warnings ?? [], actual.warnings ?? [], found)
  compare('body', canonical(expected.body), canonical(actual.body), found)
  return found
}
