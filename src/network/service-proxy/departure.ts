/**
 * Pods that end leave services first. A pod's end and its endpoint's travel separate ways, so that without waiting for
 * each other a program that stops listening at once would refuse whoever was led to it meanwhile.
 */
import { type Clock, sleep, within } from '../../lib/clock.ts'
import type { Catalog } from '../catalog.ts'

export interface Departing {
  readonly uid: string
  readonly ips: readonly string[]
  /** It can wait no longer than this. */
  readonly withinMs: number
}

export interface DepartureDeps {
  readonly catalog: Catalog
  /** Resolves when the services known at the call are in the data plane. */
  synced(): Promise<unknown>
  readonly clock: Clock
}

/** A pod waits no longer than this for services to let go of it, ms: whoever makes its endpoints may be away. */
const PATIENCE_MS = 1000
/** Then it waits for those who were led to it last and have not said what they want, ms. */
const LAST_MS = 50

/**
 * Makes the function that resolves when services lead nobody to a pod any more on this node, or have not let go of it in
 * time; at once for a pod that is behind none. Ends early with `signal`.
 */
export function createDeparture(
  { catalog, synced, clock }: DepartureDeps,
  signal: AbortSignal,
): (pod: Departing) => Promise<void> {
  const servicesOf = ({ ips }: Departing) => new Set(ips.flatMap(ip => catalog.byEndpoint(ip)))
  const endpointsOf = (pod: Departing) =>
    [...servicesOf(pod)]
      .flatMap(key => catalog.slices(key))
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ targetRef }) => targetRef?.uid === pod.uid)
  /** An endpoint that is told as one that ends is used for want of others alone, and then until its end. */
  const isLed = (pod: Departing) =>
    endpointsOf(pod).some(({ conditions }) => conditions?.ready !== false && !conditions?.terminating)

  return async pod => {
    if (endpointsOf(pod).length === 0) return
    const keys = servicesOf(pod)
    const since = clock.elapsed()
    const left = () => Math.min(PATIENCE_MS, pod.withinMs) - (clock.elapsed() - since)
    const scope = new AbortController()
    const ended = AbortSignal.any([signal, scope.signal])
    const end = catalog.follow(key => {
      if (keys.has(key) && !isLed(pod)) scope.abort()
    })
    await sleep(clock, left(), ended)
    end()
    // In a data plane that changes all the time there is always something that it does not have yet.
    await within(clock, left(), synced(), signal)
    await sleep(clock, LAST_MS, signal)
  }
}
