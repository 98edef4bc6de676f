/** Certificates that are made anew before they end, as the kubelet does it: when most of their time is over. */
import { X509Certificate } from 'node:crypto'
import { createBackOff } from '../../client/back-off.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'

/** The part of a certificate's life after which another one is asked for. */
const PART = 0.8
/** Timers count milliseconds in 31 bits. */
const LONGEST_WAIT = 20 * 24 * 3_600_000

/** When a certificate in PEM is to be made anew, ms since the epoch. */
export function renewalTime(pem: string): number {
  const { validFromDate, validToDate } = new X509Certificate(pem)
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()]
  return from + (to - from) * PART
}

export interface Rotation {
  /** For the log: `the node's certificate`. */
  readonly what: string
  readonly current: KeyPair
  /** Asks for another one. */
  renew(): Promise<KeyPair>
  /** Keeps it, and uses it from now on. */
  use(pair: KeyPair): void
}

/** Keeps a certificate fresh until `signal` aborts. */
export async function keepFresh(
  { what, current, renew, use }: Rotation,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  let due = renewalTime(current.certificate)
  const backOff = createBackOff(10_000, 600_000)
  while (!signal.aborted) {
    const wait = due - clock.now()
    if (wait > 0) {
      await sleep(clock, Math.min(wait, LONGEST_WAIT), signal)
      continue
    }
    try {
      const pair = await renew()
      use(pair)
      due = renewalTime(pair.certificate)
      backOff.reset()
      logger.info({ until: new X509Certificate(pair.certificate).validTo }, `${what} was made anew`)
    } catch (error) {
      if (signal.aborted) return
      const retryInMs = backOff.next()
      logger.warn({ err: error, retryInMs }, `${what} could not be made anew`)
      await sleep(clock, retryInMs, signal)
    }
  }
}
