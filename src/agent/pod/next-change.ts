import type { Clock } from '../../lib/clock.ts'
import type { RuntimeDriver } from '../runtimes/runtime.ts'

/** Resolves with the next event of a pod, or after `ms`. */
export const nextChange = (
  driver: RuntimeDriver | undefined,
  podUid: string,
  clock: Clock,
  ms: number,
): Promise<void> =>
  new Promise(resolve => {
    const settle = () => {
      off?.()
      timer.cancel()
      resolve()
    }
    const off = driver?.onEvent(event => {
      if (event.podUid === podUid) settle()
    })
    const timer = clock.after(ms, settle)
  })
