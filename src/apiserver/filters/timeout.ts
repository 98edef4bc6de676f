import { timeout } from '../../api/machinery/status-error.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Answer, Filter } from '../request.ts'

/** As upstream: an answer must begin within a minute. */
const LIMIT = 60_000

interface Waiting {
  readonly due: number
  give(): void
}

/**
 * Gives up on requests that have no answer after a minute. All of them share one timer, which runs only while some
 * are waiting.
 */
export function timeoutFilter(clock: Clock): Filter {
  const waiting = new Set<Waiting>()
  let armed = false

  function arm(ms: number) {
    armed = true
    clock.after(ms, check)
  }

  function check() {
    armed = false
    const now = clock.elapsed()
    for (const each of waiting) {
      if (each.due > now) {
        arm(each.due - now)
        return
      }
      waiting.delete(each)
      each.give()
    }
  }

  return next => request => {
    if (request.upgrade || request.info.subresource === 'proxy') return next(request)
    const answer = next(request)
    return new Promise<Answer>((resolve, reject) => {
      const entry: Waiting = {
        due: clock.elapsed() + LIMIT,
        give: () => reject(timeout('request did not complete within the allotted timeout')),
      }
      waiting.add(entry)
      if (!armed) arm(LIMIT)
      answer.then(
        given => {
          waiting.delete(entry)
          resolve(given)
        },
        fault => {
          waiting.delete(entry)
          reject(fault)
        },
      )
    })
  }
}
