/** One list, one lifetime: everything that runs is an entry here, started together and awaited to its end. */
import { createBackOff } from '../client/back-off.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'

/** Something that runs. */
export interface Component {
  readonly name: string
  /** Runs until `signal` aborts, and resolves when it has let go of everything. Rejects when it cannot go on. */
  run(signal: AbortSignal): Promise<void>
}

/** First and longest wait before a component that failed is started again, ms. */
const BACK_OFF_MS = 100
const BACK_OFF_MAX_MS = 30_000
/** Having run this long, a component starts over with the shortest wait. */
const HEALTHY_MS = 60_000

/**
 * Runs all components until `signal` aborts; resolves when every one has ended. One that fails or ends early is
 * logged and started again, each time a little later.
 */
export async function runAll(
  components: readonly Component[],
  deps: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(components.map(component => keepRunning(component, deps, signal)))
}

async function keepRunning(
  component: Component,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
) {
  const backOff = createBackOff(BACK_OFF_MS, BACK_OFF_MAX_MS)
  while (!signal.aborted) {
    const start = clock.now()
    let failure: unknown
    // A scope of its own: what a failed run left behind ends with it.
    const scope = new AbortController()
    const end = () => scope.abort()
    signal.addEventListener('abort', end, { once: true })
    try {
      await component.run(scope.signal)
    } catch (error) {
      failure = error
    } finally {
      signal.removeEventListener('abort', end)
      scope.abort()
    }
    if (signal.aborted) {
      if (failure) logger.debug({ err: failure, component: component.name }, 'a component ended with an error')
      return
    }
    if (clock.now() - start > HEALTHY_MS) backOff.reset()
    const ms = backOff.next()
    logger.error({ err: failure, component: component.name, retryInMs: ms }, 'a component ended; it is started again')
    await sleep(clock, ms, signal)
  }
}
