/** Logs of simulated containers, in memory. */
import { rfc3339Micro } from '../../../api/machinery/time.ts'
import type { LogOptions } from '../../../client/node-api.ts'
import { limited, news, sinceOf } from '../log-reading.ts'

export interface SimulatedLog {
  write(line: string, time: number): void
  /** No more will come. */
  end(): void
  /** As `kubectl logs` prints it, from what stands there on; with `follow` until the end. */
  read(options: LogOptions, now: number, signal: AbortSignal): AsyncIterable<Uint8Array>
}

interface Line {
  readonly time: number
  readonly text: string
}

/** Makes an empty one. */
export function createSimulatedLog(): SimulatedLog {
  const lines: Line[] = []
  let ended = false
  const listeners = new Set<() => void>()
  const notify = () => {
    for (const each of [...listeners]) each()
  }
  const onChange = (fn: () => void) => {
    listeners.add(fn)
    return () => void listeners.delete(fn)
  }

  async function* shown(options: LogOptions, now: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const since = sinceOf(options, now) ?? 0
    let next = lines.findIndex(line => line.time >= since)
    if (next < 0) next = lines.length
    if (options.tailLines !== undefined) next = Math.max(next, lines.length - options.tailLines)
    while (!signal.aborted) {
      for (; next < lines.length; next++) {
        const { time, text } = lines[next]!
        yield Buffer.from(`${options.timestamps ? `${rfc3339Micro(time)} ` : ''}${text}\n`)
      }
      if (!options.follow || ended) return
      await news({ running: () => !ended, onEnd: onChange, signal }, onChange, () => next < lines.length)
    }
  }

  return {
    write(text, time) {
      lines.push({ time, text })
      notify()
    },
    end() {
      ended = true
      notify()
    },
    read: (options, now, signal) => limited(shown(options, now, signal), options.limitBytes),
  }
}
