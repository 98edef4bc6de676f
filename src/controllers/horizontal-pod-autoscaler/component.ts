/**
 * Scales what HorizontalPodAutoscalers point at, every 15 seconds each (API doc: horizontal pod autoscaling). It reads
 * the metrics APIs like any client, so a server that is registered for one of them is asked. While there is no
 * autoscaler, nothing of it is loaded and no timer runs.
 */
import { HorizontalPodAutoscaler } from '../../api/kinds/autoscaling/horizontal-pod-autoscaler.ts'
import type { Client } from '../../client/client.ts'
import { keyOf, type ObjectKey } from '../../client/informer-types.ts'
import type { Informers } from '../../client/informers.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import type { Component } from '../../control/lifetime.ts'
import { workOff } from '../../control/work-off.ts'
import type { Clock } from '../../lib/clock.ts'
import { equalJson } from '../../lib/json.ts'
import type { Logger } from '../../lib/log.ts'
import type { ServedKinds } from '../served-kinds.ts'

/** From one look at an autoscaler to the next, ms (upstream's `--horizontal-pod-autoscaler-sync-period`). */
const PERIOD = 15_000

export interface AutoscalerDeps {
  readonly client: Client
  readonly informers: Informers
  readonly served: Pick<ServedKinds, 'list' | 'find'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes the component. */
export const horizontalPodAutoscaler = (deps: AutoscalerDeps): Component => ({
  name: 'horizontal-pod-autoscaler',
  run: signal => run(deps, signal),
})

async function run(deps: AutoscalerDeps, signal: AbortSignal): Promise<void> {
  const { clock, logger } = deps
  const queue = createWorkQueue<ObjectKey>(clock, { backOff: 1_000, backOffMax: PERIOD })
  const autoscalers = deps.informers.of<HorizontalPodAutoscaler>(HorizontalPodAutoscaler)
  const end = autoscalers.onChange(({ previous, current }) => {
    // Its own writes change the status alone.
    if (!current || !previous || !equalJson(previous.spec, current.spec)) queue.add(keyOf((current ?? previous)!))
  })
  let look: Promise<(key: ObjectKey) => Promise<'gone' | undefined>> | undefined
  async function work(key: ObjectKey) {
    look ??= import('./autoscale.ts').then(({ createAutoscaler }) => createAutoscaler(deps, autoscalers, signal))
    if ((await (await look)(key)) !== 'gone') queue.addAfter(key, PERIOD)
  }
  await workOff(
    queue,
    { work, what: 'autoscaler', problem: 'an autoscaler could not be served', logger, workers: 4 },
    signal,
  )
  end()
}
