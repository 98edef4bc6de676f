/** Reading the values of single fields. */
import { parseDuration } from '../../api/machinery/time.ts'
import { UserError } from '../../cli/context.ts'

/** A failure with the place that it is about; `page` of docs/ says what may stand there. */
export const wrongAt = (place: string, cause: unknown, page = 'configuration.md'): UserError =>
  new UserError(`${place}: ${(cause as Error).message}`, `docs/${page} says what may stand there.`, { cause })

/** Makes a setting of a field; what `make` throws is told with the field's name. */
export type Of<Field extends string = string> = <T>(field: Field, make: () => T) => T

/** Failures with the file and the field that they are about, and the page of docs/ that says more. */
export function about<T>(file: string, field: string, read: () => T, page?: string): T {
  const told = (cause: unknown) => wrongAt(`${file}: ${field}`, cause, page)
  try {
    const result = read()
    if (!(result instanceof Promise)) return result
    return result.catch(cause => {
      throw told(cause)
    }) as T
  } catch (cause) {
    throw told(cause)
  }
}

/** Seconds, as they may stand in a field. Throws an Error for what are none, or below zero. */
export function secondsOf(seconds: number): number {
  if (!Number.isInteger(seconds) || seconds < 0) throw new Error(`${seconds} must be a whole number of seconds`)
  return seconds
}

/** Milliseconds of a time like `1h30m`. Throws an Error for what is none, or not above zero. */
export function durationOf(text: string): number {
  const ms = parseDuration(text)
  if (!(ms > 0)) throw new Error(`${JSON.stringify(text)} is no time like 1h or 30m`)
  return ms
}
