/** Which backend is next: round robin, or the one that the client had last. Pure but for what it remembers. */
import type { Backend, ServicePort } from '../service-ports.ts'

/** How many clients one service port remembers. */
const REMEMBERED = 10_000

export interface Chooser {
  /** The backends in the order in which they are to be tried. `now` in ms since the epoch. */
  choose(port: ServicePort, client: string, now: number): readonly Backend[]
}

const same = (a: Backend, b: Backend) => a.address === b.address && a.port === b.port

/** Makes the memory of one service port. */
export function createChooser(): Chooser {
  let turn = 0
  const seen = new Map<string, { backend: Backend; at: number }>()
  return {
    choose({ backends, affinitySeconds }, client, now) {
      const count = backends.length
      if (count === 0) return []
      const last = affinitySeconds === undefined ? undefined : seen.get(client)
      const fresh = last !== undefined && now - last.at < affinitySeconds! * 1000
      const stays = fresh ? backends.findIndex(each => same(each, last.backend)) : -1
      const start = stays >= 0 ? stays : turn++ % count
      if (affinitySeconds !== undefined) {
        seen.delete(client)
        // The oldest is the first of the map.
        if (seen.size >= REMEMBERED) seen.delete(seen.keys().next().value!)
        seen.set(client, { backend: backends[start]!, at: now })
      }
      return [...backends.slice(start), ...backends.slice(0, start)]
    },
  }
}
