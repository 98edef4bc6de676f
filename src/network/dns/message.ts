/** From one query packet to its answer packet, for the names of the cluster (RFC 1035, 2308, 6891). Pure. */
import packet, { type Answer, type Packet } from 'dns-packet'
import { type DnsAnswer, type DnsRecord, TTL } from './names.ts'

/** What is done with a query: answered, or left to another server. */
export type Handled =
  | { readonly kind: 'answer'; readonly bytes: Buffer }
  | { readonly kind: 'forward'; readonly query: Buffer; readonly question: string }
  /** A CNAME that leads out of the cluster: the target is asked for elsewhere and put behind it. */
  | { readonly kind: 'follow'; readonly target: string; readonly type: string; finish(rest: readonly Answer[]): Buffer }
  | { readonly kind: 'ignore' }

const RCODE = { noError: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4 } as const
/** What a client without EDNS takes in a UDP packet. */
const SMALLEST = 512
/** What we are ready to send and say that we take: no fragments on the usual networks. */
const LARGEST = 1232

function toAnswer(record: DnsRecord): Answer {
  return { ...record, ttl: TTL, class: 'IN' } as Answer
}

interface Sections {
  readonly answers?: readonly Answer[]
  readonly additionals?: readonly Answer[]
  readonly authorities?: readonly Answer[]
  readonly extended?: number
}

export interface Transfer {
  /** TCP has no limit. */
  readonly tcp: boolean
}

/** Makes the handler of packets for the zone. */
export function createHandler(
  resolve: (name: string, type: string) => DnsAnswer,
  domain: string,
): (bytes: Buffer, transfer: Transfer) => Handled {
  const authority: Answer = {
    type: 'SOA',
    name: domain,
    ttl: TTL,
    class: 'IN',
    data: {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: TTL,
    },
  }

  function encode(
    query: Packet,
    code: number,
    { tcp }: Transfer,
    sections: Sections = {},
    authoritative = true,
  ): Buffer {
    const opt = query.additionals?.find(each => each.type === 'OPT')
    const own = opt
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: LARGEST,
            // BADVERS is 16: its upper bits are here (RFC 6891).
            extendedRcode: sections.extended ?? 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          } as unknown as Answer,
        ]
      : []
    const asked = (query.flags ?? 0) & packet.RECURSION_DESIRED
    const flags = (authoritative ? packet.AUTHORITATIVE_ANSWER : 0) | packet.RECURSION_AVAILABLE | asked | code
    const make = (extra: number, { answers = [], additionals = [], authorities = [] }: Sections) =>
      packet.encode({
        type: 'response',
        id: query.id ?? 0,
        flags: flags | extra,
        questions: query.questions ?? [],
        answers: [...answers],
        authorities: [...authorities],
        additionals: [...additionals, ...own],
      })
    const whole = make(0, sections)
    const limit = tcp ? 65_535 : opt ? Math.min(Math.max(opt.udpPayloadSize ?? 0, SMALLEST), LARGEST) : SMALLEST
    if (whole.length <= limit) return whole
    const { additionals: _, ...shorter } = sections
    const without = make(0, shorter)
    // Too long even so: the client is told to come again by TCP.
    return without.length <= limit ? without : make(packet.TRUNCATED_RESPONSE, {})
  }

  return (bytes, transfer) => {
    let query: Packet
    try {
      query = packet.decode(bytes)
    } catch {
      if (bytes.length < 12 || (bytes[2]! & 0x80) !== 0) return { kind: 'ignore' }
      return { kind: 'answer', bytes: encode({ id: bytes.readUInt16BE(0) }, RCODE.formatError, transfer, {}, false) }
    }
    if (query.type !== 'query') return { kind: 'ignore' }
    const question = query.questions?.[0]
    if (query.additionals?.some(({ type, ednsVersion }) => type === 'OPT' && ednsVersion))
      return { kind: 'answer', bytes: encode(query, RCODE.noError, transfer, { extended: 1 }, false) }
    const opcode = (bytes[2]! >> 3) & 15
    if (opcode !== 0) return { kind: 'answer', bytes: encode(query, RCODE.notImplemented, transfer, {}, false) }
    if (!question || query.questions!.length !== 1)
      return { kind: 'answer', bytes: encode(query, RCODE.formatError, transfer, {}, false) }
    const name = question.name.toLowerCase().replace(/\.$/, '')
    // Clients that mix the case of letters to recognise forgeries want their own spelling back.
    const spelled = (record: DnsRecord) => toAnswer(record.name === name ? { ...record, name: question.name } : record)
    if (name === domain && question.type === 'SOA')
      return { kind: 'answer', bytes: encode(query, RCODE.noError, transfer, { answers: [authority] }) }
    const answer = resolve(name, question.type === 'ANY' ? 'A' : question.type)
    switch (answer.kind) {
      case 'elsewhere':
        return { kind: 'forward', query: bytes, question: question.name }
      case 'records': {
        const sections = { answers: answer.answers.map(spelled), additionals: answer.additionals.map(toAnswer) }
        return { kind: 'answer', bytes: encode(query, RCODE.noError, transfer, sections) }
      }
      case 'alias': {
        const first = spelled(answer.record)
        const finish = (rest: readonly Answer[]) =>
          encode(query, RCODE.noError, transfer, { answers: [first, ...rest] })
        if (question.type === 'CNAME' || /^[\d.]+$/.test(answer.target)) return { kind: 'answer', bytes: finish([]) }
        // The target may be another name of the cluster.
        const inside = resolve(answer.target.toLowerCase(), question.type)
        if (inside.kind === 'records') return { kind: 'answer', bytes: finish(inside.answers.map(toAnswer)) }
        if (inside.kind !== 'elsewhere') return { kind: 'answer', bytes: finish([]) }
        return { kind: 'follow', target: answer.target, type: question.type, finish }
      }
      default: {
        const code = answer.kind === 'empty' ? RCODE.noError : RCODE.noSuchName
        return { kind: 'answer', bytes: encode(query, code, transfer, { authorities: [authority] }) }
      }
    }
  }
}

/** The answer to a query that no other server answers: SERVFAIL. */
export function failure(query: Buffer): Buffer {
  const answer = Buffer.from(query)
  answer[2] = (answer[2]! & 0x79) | 0x80
  answer[3] = 0x80 | RCODE.serverFailure
  return answer
}
