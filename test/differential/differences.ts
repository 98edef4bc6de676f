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

/** Errors count as a set: Go says them in the order of its maps, and those of metadata twice. */
function canonical(answer: Answer): Answer {
  const body = answer.body as { message?: string; details?: { causes?: unknown[] } } | null
  const causes = body?.details?.causes
  if (!causes || causes.length < 2) return answer
  const sorted = [...new Set(causes.map(cause => JSON.stringify(cause)))].sort()
  const message = sorted.length > 1 ? body.message?.replace(/: \[.*\]$/s, ': [the causes]') : body.message
  return { ...answer, body: { ...body, message, details: { ...body.details, causes: sorted } } }
}

/** All differences between the answer that a real server gave and ours. */
export function differences(expected: Answer, actual: Answer): Difference[] {
  const found: Difference[] = []
  compare('status', expected.status, actual.status, found)
  compare('warnings', expected.warnings ?? [], actual.warnings ?? [], found)
  compare('body', canonical(expected).body, canonical(actual).body, found)
  return found
}
