/** What can be made to go wrong in a test's cluster, repeatable from its seed. */
import { serviceUnavailable } from '../../api/machinery/status-error.ts'
import type { ApiRequest, ApiResponse, Transport, WatchEvent } from '../../client/transport.ts'
import type { Component } from '../../control/lifetime.ts'
import type { Random } from '../../lib/random.ts'

export interface Faults {
  /** Ends every watch of the cluster's own components, now, without a word. */
  dropWatches(): void
  /**
   * Lets this share (0 to 1) of the components' writes fail from now on, half of them after they were carried out:
   * the writer cannot know.
   */
  failWrites(share: number): void
  /** Ends a component in the middle of its work; it is started again as after any failure. Throws for unknown names. */
  crash(component: string): void
  /** Names for `crash`. */
  components(): readonly string[]
}

export interface FaultSwitch extends Faults {
  /** The transport with these faults. */
  transport(inner: Transport): Transport
  /** The component, such that it can crash. */
  component(inner: Component): Component
}

const isWrite = (request: ApiRequest) => request.method !== 'GET'

/** Makes the switch; everything works until it is told otherwise. */
export function createFaults(random: Random): FaultSwitch {
  let share = 0
  const watches = new Set<() => void>()
  const running = new Map<string, (() => void) | undefined>()

  /** Events until the watch ends or is dropped. */
  async function* droppable(events: AsyncIterable<readonly WatchEvent[]>): AsyncGenerator<readonly WatchEvent[]> {
    const iterator = events[Symbol.asyncIterator]()
    let drop!: () => void
    const dropped = new Promise<undefined>(resolve => {
      drop = () => resolve(undefined)
    })
    watches.add(drop)
    try {
      for (;;) {
        const next = await Promise.race([iterator.next(), dropped])
        if (!next || next.done) return
        yield next.value
      }
    } finally {
      watches.delete(drop)
      void iterator.return?.()
    }
  }
  const refused = (): ApiResponse => {
    const { status } = serviceUnavailable('a fault was injected')
    return { status: status.code ?? 503, object: status }
  }

  return {
    dropWatches() {
      for (const drop of [...watches]) drop()
    },
    failWrites(next) {
      share = next
    },
    crash(name) {
      if (!running.has(name)) throw new Error(`no component ${name}; there are ${[...running.keys()].join(', ')}`)
      running.get(name)?.()
    },
    components: () => [...running.keys()],
    transport: inner => async request => {
      const fails = isWrite(request) && share > 0 && random.number() < share
      if (fails && random.number() < 0.5) return refused()
      const response = await inner(request)
      if (fails) return refused()
      return response.events ? { ...response, events: droppable(response.events) } : response
    },
    component(inner) {
      running.set(inner.name, undefined)
      return {
        name: inner.name,
        async run(signal) {
          const scope = new AbortController()
          let crashed = false
          const end = () => scope.abort()
          signal.addEventListener('abort', end, { once: true })
          running.set(inner.name, () => {
            crashed = true
            scope.abort()
          })
          try {
            await inner.run(scope.signal)
          } finally {
            running.set(inner.name, undefined)
            signal.removeEventListener('abort', end)
          }
          if (crashed) throw new Error('crashed, as the test wished')
        },
      }
    },
  }
}
