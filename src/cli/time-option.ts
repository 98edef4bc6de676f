/** Options that say a time, like `--timeout 5m`. */
import { parseDuration } from '../api/machinery/time.ts'
import { UserError } from './context.ts'

/** Milliseconds, 0 or more. `like` says what would be right: `5m, or 0s to wait for ever`. Throws `UserError`. */
export function timeOption(flag: string, text: string, like: string): number {
  try {
    const ms = parseDuration(text)
    if (ms >= 0) return ms
  } catch {}
  throw new UserError(`${flag} ${JSON.stringify(text)} must be a time like ${like}`)
}
