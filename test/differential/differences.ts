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

/** All differences between the answer that a real server gave and ours. */
export function differences(expected: Answer, actual: Answer): Difference[] {
  const found: Difference[] = []
  compare('status', expected.status, actual.status, found)
  compare('warnings', expected.warnings ?? [], actual.warnings ?? [], found)
  compare('body', expected.body, actual.body, found)
  return found
}
