/** Evicting pods through the API, which knows their disruption budgets, and waiting until they are gone. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import type { Transport } from '../../client/transport.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import { isMissing, request } from '../api.ts'
import { UserError } from '../context.ts'

export interface EvictDeps {
  readonly transport: Transport
  readonly clock: Clock
  readonly signal: AbortSignal
  say(line: string): void
  warn(line: string): void
}

/** Between two tries of an eviction that a budget does not allow yet, ms, as kubectl has it. */
const RETRY_MS = 5000
/** Between two looks at a pod that ends, ms. */
const LOOK_MS = 500

const pathOf = ({ metadata }: Pod) => `/api/v1/namespaces/${metadata?.namespace}/pods/${metadata?.name}`

/** Resolves when the pod is gone, or another has its name. `late` tells when it is too late, in a sentence. */
async function evictOne(pod: Pod, grace: number | undefined, late: () => string | undefined, deps: EvictDeps) {
  const { transport, clock, signal } = deps
  const { namespace, name, uid } = pod.metadata ?? {}
  const check = () => {
    const why = signal.aborted ? 'interrupted' : late()
    if (why) throw new UserError(`pod ${namespace}/${name} was not evicted: ${why}`)
  }
  const body = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { namespace, name },
    deleteOptions: { ...(grace !== undefined && { gracePeriodSeconds: grace }), preconditions: { uid } },
  }
  deps.say(`evicting pod ${namespace}/${name}`)
  for (;;) {
    try {
      await request(transport, { method: 'POST', path: `${pathOf(pod)}/eviction`, body: structuredClone(body) })
      break
    } catch (error) {
      if (isMissing(error)) return
      if (!(error instanceof StatusError) || error.code !== 429) throw error
      deps.warn(
        `error when evicting pods/${JSON.stringify(name)} -n ${JSON.stringify(namespace)} (will retry after 5s): ${error.message}`,
      )
      check()
      await sleep(clock, RETRY_MS, signal)
      check()
    }
  }
  for (;;) {
    try {
      const now = await request<Pod>(transport, { method: 'GET', path: pathOf(pod) })
      if (now.metadata?.uid !== uid) break
    } catch (error) {
      if (isMissing(error)) break
      throw error
    }
    check()
    await sleep(clock, LOOK_MS, signal)
  }
  deps.say(`pod/${name} evicted`)
}

/** Evicts all of them side by side; rejects with the first that does not go, once all have had their try. */
export async function evictAll(
  pods: readonly Pod[],
  options: { readonly grace?: number; readonly timeoutMs: number },
  deps: EvictDeps,
): Promise<void> {
  const { timeoutMs, grace } = options
  const end = timeoutMs > 0 ? deps.clock.now() + timeoutMs : Number.POSITIVE_INFINITY
  const late = () => (deps.clock.now() > end ? `not within ${timeoutMs / 1000} s` : undefined)
  const results = await Promise.allSettled(pods.map(pod => evictOne(pod, grace, late, deps)))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
