/** Logs of simulated containers, in memory. */
import { rfc3339Micro } from '../../../api/machinery/time.ts'
import type { LogOptions } from '../../../client/node-api.ts'
import { sinceOf } from '../log-reading.ts'

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
  let wake: (() => void)[] = []
  const notify = () => {
    for (const each of wake) each()
    wake = []
  }

  async function* read(options: LogOptions, now: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const since = sinceOf(options, now) ?? 0
    let left = options.limitBytes ?? Number.POSITIVE_INFINITY
    let next = lines.findIndex(line => line.time >= since)
    if (next < 0) next = lines.length
    if (options.tailLines !== undefined) next = Math.max(next, lines.length - options.tailLines)
    while (left > 0 && !signal.aborted) {
      for (; next < lines.length && left > 0; next++) {
        const { time, text } = lines[next]!
        const bytes = Buffer.from(`${options.timestamps ? `${rfc3339Micro(time)} ` : ''}${text}\n`)
        yield bytes.subarray(0, left)
        left -= bytes.length
      }
      if (!options.follow || ended) return
      await new Promise<void>(resolve => {
        wake.push(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
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
    read,
  }
}
