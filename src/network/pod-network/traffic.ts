/** What went through the links of pods, by the kernel's counters. */
import { readFileSync } from 'node:fs'

/** What went through a link, as its pod counts it. */
export interface Traffic {
  readonly received: Counts
  readonly sent: Counts
}

interface Counts {
  readonly bytes: number
  readonly packets: number
  readonly errors: number
  readonly dropped: number
}

/** Of every link of this network namespace, which is the other end of a pod's, by its name. */
export function linkTraffic(text = readFileSync('/proc/self/net/dev', 'utf8')): ReadonlyMap<string, Traffic> {
  const lines = text.split('\n').map(line => /^ *([^:]+): *(.*)$/.exec(line))
  return new Map(
    lines.flatMap((match): [string, Traffic][] => {
      if (!match) return []
      const numbers = match[2]!.split(/ +/).map(Number)
      const counts = (at: number): Counts => {
        const [bytes = 0, packets = 0, errors = 0, dropped = 0] = numbers.slice(at)
        return { bytes, packets, errors, dropped }
      }
      // What this end has received, the pod has sent.
      return [[match[1]!, { received: counts(8), sent: counts(0) }]]
    }),
  )
}
