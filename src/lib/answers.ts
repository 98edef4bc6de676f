/** Answers of other servers, kept for a while each. */
import { hash } from 'node:crypto'
import type { Clock } from './clock.ts'

export interface Answers<T> {
  get(question: string): T | undefined
  /** Keeps an answer for `ms`; not at all for 0. */
  keep(question: string, answer: T, ms: number): void
}

const LIMIT = 8192

/** Makes a store of at most 8192 answers. Questions are kept as digests: they may hold secrets. */
export function createAnswers<T>(clock: Pick<Clock, 'elapsed'>): Answers<T> {
  const kept = new Map<string, { readonly answer: T; readonly until: number }>()
  const keyOf = (question: string) => hash('sha256', question, 'base64')
  return {
    get(question) {
      const found = kept.get(keyOf(question))
      return found && found.until > clock.elapsed() ? found.answer : undefined
    },
    keep(question, answer, ms) {
      if (ms <= 0) return
      if (kept.size >= LIMIT) kept.delete(kept.keys().next().value as string)
      kept.set(keyOf(question), { answer, until: clock.elapsed() + ms })
    },
  }
}
