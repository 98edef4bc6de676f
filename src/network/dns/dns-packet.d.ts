/** The part of `dns-packet` (RFC 1035 packets to and from bytes) that is used here; the package has no types. */
declare module 'dns-packet' {
  export interface Question {
    type: string
    name: string
    class?: string
  }
  export interface Answer {
    type: string
    name: string
    ttl?: number
    class?: string
    data?: unknown
    udpPayloadSize?: number
    ednsVersion?: number
    extendedRcode?: number
  }
  export interface Packet {
    type?: 'query' | 'response'
    id?: number
    flags?: number
    rcode?: string
    questions?: Question[]
    answers?: Answer[]
    authorities?: Answer[]
    additionals?: Answer[]
  }
  const packet: {
    /** Throws for bytes that are no packet. */
    decode(bytes: Uint8Array): Packet
    encode(value: Packet): Buffer
    readonly AUTHORITATIVE_ANSWER: number
    readonly TRUNCATED_RESPONSE: number
    readonly RECURSION_DESIRED: number
    readonly RECURSION_AVAILABLE: number
  }
  export default packet
}
