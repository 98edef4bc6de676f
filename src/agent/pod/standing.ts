/**
 * What a pod stands on over its life: made when it is to run, tried for again where that failed, and made anew when the
 * sandbox died. One piece of long work at a time.
 */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { createBackOff } from '../../client/back-off.ts'
import type { Timer } from '../../lib/clock.ts'
import type { RuntimeDriver } from '../runtimes/runtime.ts'
import { type PodDeps, podTitle } from './deps.ts'
import { type Ground, GroundError, type GroundKeeper, SANDBOX_FAILED } from './ground.ts'

const RETRY_MS = 500
/** Volumes are tried again ever more rarely: each try may ask a server elsewhere (the kubelet's), ms. */
const RETRY_MAX_MS = 120_000
/** What the node itself has to do is tried again at the pace of the kubelet's pod workers, ms. */
const SANDBOX_RETRY_MAX_MS = 10_000

export interface StandingDeps {
  readonly shared: Pick<PodDeps, 'clock' | 'logger' | 'events' | 'starts'>
  readonly keeper: GroundKeeper
  pod(): Pod
  /** The pod with the resources that it has been given. */
  allocated(): Pod
  /** It is being brought to its end: what cannot be made is no news any more. */
  ending(): boolean
  /** A ground is there; called before `changed`. */
  made(ground: Ground): void
  /** Something is different, or long work is over. */
  changed(): void
}

export interface Standing {
  /** Undefined before it is made, and after it was lost. */
  ground(): Ground | undefined
  /** The pod's runtime, as far as it is known. */
  driver(): RuntimeDriver | undefined
  /** Why the ground could not be made last. */
  problem(): string | undefined
  /** Long work is under way. */
  isBusy(): boolean
  /** Finds where the pod runs already, or would. */
  attach(): Promise<RuntimeDriver | undefined>
  /** Looks whether the sandbox stands, where there is news; after its containers, which end before it. */
  check(): Promise<void>
  /** Begins to make the ground; where that failed a moment ago, ms until it is tried again. */
  make(): number | undefined
  /** The sandbox has died. */
  isLost(): boolean
  /** Nothing runs there any more: the lost ground is let go. */
  leave(): void
  /** Does other long work; a failure is logged as `failed`. */
  alone(work: () => Promise<void>, failed: string): void
  /** Brings volumes up to date, and tries at once for what failed. */
  refresh(): Promise<void>
  /** What it waits for may be there. */
  retry(): void
  /** The runtime has news of the sandbox. */
  news(): void
  /** Network and volumes are given back. Rejects where something does not let go. */
  giveBack(): Promise<void>
  /** Stops caring. */
  release(): void
}

/** Of a pod that stands on nothing yet. */
export function createStanding({ shared, keeper, ...deps }: StandingDeps): Standing {
  const { clock, logger, events } = shared
  const backOff = createBackOff(RETRY_MS, RETRY_MAX_MS)
  const refreshBackOff = createBackOff(RETRY_MS, RETRY_MAX_MS)
  let driver: RuntimeDriver | undefined
  let ground: Ground | undefined
  let problem: string | undefined
  let retryAt = 0
  let busy = false
  let hasNews = false
  let isLost = false
  let refreshTimer: Timer | undefined
  let released = false

  async function make() {
    busy = true
    try {
      ground = await shared.starts.run(() => keeper.prepare(deps.allocated()))
      driver = ground.driver
      deps.made(ground)
      problem = undefined
      backOff.reset()
    } catch (error) {
      failed(error)
    } finally {
      busy = false
      deps.changed()
    }
  }
  function failed(error: unknown) {
    const { reason, message, soon } = error as GroundError
    if (!(error instanceof GroundError))
      logger.error({ err: error, pod: podTitle(deps.pod()) }, 'a pod could not be prepared')
    if (problem !== message && !deps.ending() && !soon)
      events.event(deps.pod(), 'Warning', reason ?? 'FailedSync', message)
    problem = message
    if (soon) backOff.reset()
    const ceiling = reason === SANDBOX_FAILED ? SANDBOX_RETRY_MAX_MS : RETRY_MAX_MS
    retryAt = clock.elapsed() + Math.min(backOff.next(), ceiling)
  }
  function alone(work: () => Promise<void>, words: string) {
    busy = true
    void work()
      .catch(error => logger.warn({ err: error, pod: podTitle(deps.pod()) }, words))
      .finally(() => {
        busy = false
        deps.changed()
      })
  }
  async function refresh() {
    retryAt = 0
    try {
      if (ground) await keeper.refresh(deps.pod())
      refreshBackOff.reset()
    } catch (error) {
      if (!deps.ending() && !released) {
        events.event(deps.pod(), 'Warning', 'FailedMount', (error as Error).message)
        refreshTimer?.cancel()
        refreshTimer = clock.after(refreshBackOff.next(), () => void refresh())
      }
    }
    deps.changed()
  }

  return {
    ground: () => ground,
    driver: () => driver,
    problem: () => problem,
    isBusy: () => busy,
    attach: async () => (driver ??= await keeper.attach(deps.pod())),
    async check() {
      if (!driver || !ground || !hasNews) return
      hasNews = false
      const status = await driver.sandboxStatus(ground.sandbox)
      isLost ||= status?.state !== 'ready'
    },
    make() {
      if (busy) return undefined
      const wait = retryAt - clock.elapsed()
      if (wait > 0) return wait
      void make()
      return undefined
    },
    isLost: () => isLost,
    leave() {
      ground = undefined
      isLost = false
      alone(() => keeper.rest(), 'a sandbox that is gone could not be cleaned up')
    },
    alone,
    refresh,
    retry() {
      retryAt = 0
    },
    news() {
      hasNews = true
    },
    async giveBack() {
      await keeper.stop()
      ground = undefined
    },
    release() {
      released = true
      refreshTimer?.cancel()
      keeper.release()
    },
  }
}
