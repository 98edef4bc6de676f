/**
 * Answers of other servers, kept for as long as they say, at most for half a minute, as packets: what is kept is handed
 * out with the id and the spelling of the query and the time that has passed taken off. Queries that ask the same at the
 * same time are asked once.
 */
import type { Clock } from '../../lib/clock.ts'

/** Longest time for which an answer is kept, in seconds: a name of the outside may move, too. */
const LONGEST = 30
/** How many answers are kept at most. */
const ENTRIES = 10_000

const HEADER = 12
const TYPE = { SOA: 6, OPT: 41 } as const

/** Where the name that begins at `at` ends; undefined when the packet ends before. */
function skipName(packet: Buffer, at: number): number | undefined {
  for (let place = at; place < packet.length; ) {
    const length = packet[place]!
    if (length === 0) return place + 1
    if (length >= 0xc0) return place + 2
    place += length + 1
  }
  return undefined
}

interface Shape {
  /** Where the question ends. */
  readonly question: number
  /** Where the four bytes of each record's time are. */
  readonly times: readonly number[]
  /** Seconds for which the packet may be kept; 0: not at all. */
  readonly seconds: number
}

/** How a packet is laid out; undefined when it is broken. */
export function shapeOf(packet: Buffer): Shape | undefined {
  if (packet.length < HEADER || packet.readUInt16BE(4) !== 1) return undefined
  const name = skipName(packet, HEADER)
  if (name === undefined || name + 4 > packet.length) return undefined
  const [answers, authorities] = [packet.readUInt16BE(6), packet.readUInt16BE(8)]
  const count = answers + authorities + packet.readUInt16BE(10)
  const times: number[] = []
  let seconds = LONGEST
  let negative = false
  let at = name + 4
  for (let n = 0; n < count; n++) {
    const end = skipName(packet, at)
    if (end === undefined || end + 10 > packet.length) return undefined
    const type = packet.readUInt16BE(end)
    const next = end + 10 + packet.readUInt16BE(end + 8)
    if (next > packet.length) return undefined
    if (type !== TYPE.OPT) {
      times.push(end + 4)
      seconds = Math.min(seconds, packet.readUInt32BE(end + 4))
    }
    // What does not exist does not exist for as long as the zone says (RFC 2308).
    if (type === TYPE.SOA && n >= answers && next - 4 > end) {
      negative = true
      seconds = Math.min(seconds, packet.readUInt32BE(next - 4))
    }
    at = next
  }
  const code = packet[3]! & 15
  const truncated = (packet[2]! & 2) !== 0
  const keeps = !truncated && ((code === 0 && answers > 0) || ((code === 0 || code === 3) && negative))
  return { question: name + 4, times, seconds: keeps ? seconds : 0 }
}

interface Entry {
  readonly packet: Buffer
  readonly shape: Shape
  /** When it came, in ms of the clock that only grows. */
  readonly at: number
}

export type Ask = (query: Buffer, name: string, tcp: boolean) => Promise<Buffer | undefined>

const isUpper = (byte: number) => byte >= 65 && byte <= 90

/** The query without its id and the case of its letters. */
function keyOf(query: Buffer, question: number, tcp: boolean): string {
  const plain = Buffer.from(query)
  for (let at = HEADER; at < question - 4; at++) if (isUpper(plain[at]!)) plain[at]! += 32
  return `${tcp ? 't' : 'u'}${plain.toString('latin1', 2)}`
}

/** The answer as one to this query. */
function addressed({ packet, shape }: Entry, query: Buffer, question: number, passed: number): Buffer {
  const answer = Buffer.from(packet)
  query.copy(answer, 0, 0, 2)
  if (question === shape.question) query.copy(answer, HEADER, HEADER, question)
  for (const at of shape.times) answer.writeUInt32BE(Math.max(0, answer.readUInt32BE(at) - passed), at)
  return answer
}

/** Puts a memory before `ask`. */
export function createDnsCache(ask: Ask, clock: Clock): Ask {
  const entries = new Map<string, Entry>()
  const asking = new Map<string, Promise<Buffer | undefined>>()

  function keep(key: string, packet: Buffer) {
    const shape = shapeOf(packet)
    if (!shape?.seconds) return
    // The oldest is the first of the map.
    if (entries.size >= ENTRIES) entries.delete(entries.keys().next().value!)
    entries.set(key, { packet, shape, at: clock.elapsed() })
  }

  return async (query, name, tcp) => {
    const end = skipName(query, HEADER)
    if (end === undefined || query.length < end + 4 || query.readUInt16BE(4) !== 1) return ask(query, name, tcp)
    const question = end + 4
    const key = keyOf(query, question, tcp)
    const known = entries.get(key)
    if (known) {
      const passed = Math.floor((clock.elapsed() - known.at) / 1000)
      if (passed < known.shape.seconds) return addressed(known, query, question, passed)
      entries.delete(key)
    }
    const running = asking.get(key)
    if (running) {
      const packet = await running
      const shape = packet && shapeOf(packet)
      return packet && shape ? addressed({ packet, shape, at: 0 }, query, question, 0) : packet
    }
    const asked = ask(query, name, tcp)
    asking.set(key, asked)
    try {
      const packet = await asked
      if (packet) keep(key, packet)
      return packet
    } finally {
      asking.delete(key)
    }
  }
}
