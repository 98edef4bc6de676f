/** What a node's configuration says of the machine's shutdown: how long pods have then. */
import { plainPeriods, type ShutdownPeriod } from '../../agent/shutdown/periods.ts'
import { parseDuration } from '../../api/machinery/time.ts'
import type { Shape } from '../../apiserver/configuration/read.ts'
import { type Of, secondsOf } from './fields.ts'

/** Of KubeletConfiguration. */
export interface ShutdownFields {
  readonly shutdownGracePeriod?: string
  readonly shutdownGracePeriodCriticalPods?: string
  readonly shutdownGracePeriodByPodPriority?: readonly {
    readonly priority?: number
    readonly shutdownGracePeriodSeconds?: number
  }[]
}

export const SHUTDOWN_SHAPE = {
  shutdownGracePeriod: 'string',
  shutdownGracePeriodCriticalPods: 'string',
  shutdownGracePeriodByPodPriority: [{ priority: 'number', shutdownGracePeriodSeconds: 'number' }],
} as const satisfies Shape

/** Milliseconds: none, or a second at least. */
function periodOf(text: string): number {
  const ms = parseDuration(text)
  if (ms !== 0 && !(ms >= 1000)) throw new Error(`${JSON.stringify(text)} must be 0s or at least 1s`)
  return ms
}

/** The periods, in no order; none where pods are not ended by priority. */
export function shutdownSettings(fields: ShutdownFields, of: Of): readonly ShutdownPeriod[] {
  const { shutdownGracePeriod = '0s', shutdownGracePeriodCriticalPods = '0s' } = fields
  const { shutdownGracePeriodByPodPriority: byPriority = [] } = fields
  const totalMs = of('shutdownGracePeriod', () => periodOf(shutdownGracePeriod))
  const criticalMs = of('shutdownGracePeriodCriticalPods', () => {
    const ms = periodOf(shutdownGracePeriodCriticalPods)
    if (ms > totalMs)
      throw new Error(
        `${JSON.stringify(shutdownGracePeriodCriticalPods)} is a part of shutdownGracePeriod, and longer than that`,
      )
    return ms
  })
  return of('shutdownGracePeriodByPodPriority', () => {
    if (byPriority.length > 0 && totalMs > 0) throw new Error('cannot be set together with shutdownGracePeriod')
    const periods = byPriority.map(({ priority = 0, shutdownGracePeriodSeconds: seconds = 0 }) => {
      if (!Number.isInteger(priority)) throw new Error(`${priority} is no priority`)
      return { priority, seconds: secondsOf(seconds) }
    })
    if (new Set(periods.map(each => each.priority)).size < periods.length) throw new Error('names a priority twice')
    return periods.length > 0 ? periods : plainPeriods(totalMs, criticalMs)
  })
}
