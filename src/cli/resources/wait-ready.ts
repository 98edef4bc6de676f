/** Waits until deployments are rolled out, by one watch. */
import type { Deployment } from '../../api/kinds/apps/deployment.ts'
import type { KubeList } from '../../api/machinery/object.ts'
import type { Transport } from '../../client/transport.ts'
import type { Clock } from '../../lib/clock.ts'
import { request } from '../api.ts'
import { UserError } from '../context.ts'
import { rolloutState } from './rollout-state.ts'

export interface WaitOptions {
  readonly namespace: string
  readonly names: readonly string[]
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly timeoutMs: number
  /** Said at each change, e.g. `2 of 5 are ready`. */
  onChange?(text: string): void
  /** Called once for each deployment when it is ready. */
  onReady?(name: string): void
}

/** Resolves when every named deployment is rolled out. Throws `UserError` after the timeout or a failed rollout. */
export async function waitUntilReady(
  transport: Transport,
  { namespace, names, signal, clock, timeoutMs, onChange, onReady }: WaitOptions,
): Promise<void> {
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments`
  const waiting = new Set(names)
  const see = (deployment: Deployment) => {
    const name = deployment.metadata?.name ?? ''
    if (!waiting.has(name)) return
    const state = rolloutState(deployment)
    if (state.failed) throw new UserError(state.message, `What holds it up: tutti why deploy/${name} -n ${namespace}`)
    if (!state.done) return
    waiting.delete(name)
    onReady?.(name)
    onChange?.(`${names.length - waiting.size} of ${names.length} are ready`)
  }
  const list = await request<KubeList<Deployment>>(transport, { method: 'GET', path })
  for (const deployment of list.items) see(deployment)
  if (waiting.size === 0) return
  const stop = new AbortController()
  const timer = clock.after(timeoutMs, () => stop.abort())
  try {
    const response = await transport({
      method: 'GET',
      path,
      query: { watch: 'true', resourceVersion: list.metadata?.resourceVersion ?? '' },
      signal: AbortSignal.any([signal, stop.signal]),
    })
    for await (const batch of response.events ?? []) {
      for (const { type, object } of batch) if (type === 'ADDED' || type === 'MODIFIED') see(object as Deployment)
      if (waiting.size === 0) return
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    timer.cancel()
    stop.abort()
  }
  const [first] = waiting
  throw new UserError(
    `${[...waiting].join(', ')} not ready after ${Math.round(timeoutMs / 1000)} s`,
    `What holds it up: tutti why deploy/${first} -n ${namespace}`,
  )
}
