/**
 * Heads of HTTP/1.1 messages (RFC 9112), taken strictly: what two programs could read in two ways is refused, as it is
 * how one of them is had to read something into the other's request. Pure.
 */
import { Malformed } from './malformed.ts'

/** Names and values by turns, as they came. */
export type Fields = readonly string[]

/** Where the body of a message ends. Of unknown length it is in chunks, or, of an answer, ends with the connection. */
export type Framing =
  | { readonly kind: 'none' | 'chunked' | 'close' }
  | { readonly kind: 'sized'; readonly bytes: number }

/** What the fields of a head say. */
export interface Head {
  readonly minor: number
  readonly fields: Fields
  /** Each `Content-Length` and `Transfer-Encoding` stands once. */
  readonly length: number | undefined
  readonly chunked: boolean
  /** What `Connection` names, in lower case. */
  readonly connection: readonly string[]
  /** Values of `Host`. */
  readonly hosts: readonly string[]
  readonly expect: string | undefined
  readonly upgrade: string | undefined
}

export interface RequestHead extends Head {
  readonly method: string
  readonly target: string
}

export interface AnswerHead extends Head {
  readonly status: number
  readonly reason: string
}

/** Bounds of a head. */
export interface HeadLimits {
  readonly bytes: number
  readonly fields: number
}

/** The blank line after a head. */
export const HEAD_END = Buffer.from('\r\n\r\n')

/** Where the blank line after a head begins; -1: it has not come yet. Throws `Malformed` where the head is too large. */
export function endOfHead(bytes: Buffer, { bytes: most }: HeadLimits): number {
  const end = bytes.indexOf(HEAD_END)
  if (end > most || (end < 0 && bytes.length > most)) throw new Malformed('a head, or trailers, too large', 431)
  return end
}

// None of these patterns can match a text in two ways, so none takes longer than the text is long.
const REQUEST_LINE =
  /^([A-Z][A-Z0-9_-]{0,31}) ((?:\*|(?:\/|[A-Za-z][A-Za-z0-9+.-]*:\/\/)[\x21-\x7e]*)) HTTP\/(\d)\.(\d)$/
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: (.*))?$/
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const LENGTH = /^\d{1,15}$/
/** Characters of control, and a line feed or a return without the other. */
const DOUBTFUL = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n/

const isBlank = (code: number) => code === 0x20 || code === 0x09

/** Without blanks around. Only these two count as such in HTTP. */
function trimmed(text: string, from: number): string {
  let [start, end] = [from, text.length]
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

const words = (value: string) =>
  value
    .toLowerCase()
    .split(',')
    .map(each => trimmed(each, 0))

class Reading implements Head {
  readonly minor: number
  readonly fields: string[] = []
  length: number | undefined
  chunked = false
  connection: string[] = []
  hosts: string[] = []
  expect: string | undefined
  upgrade: string | undefined

  constructor(minor: number) {
    this.minor = minor
  }

  #add(name: string, value: string) {
    this.fields.push(name, value)
    // All that count have one of these lengths.
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === 'host') this.hosts.push(value)
        break
      case 6:
        if (name.toLowerCase() === 'expect') this.expect = value.toLowerCase()
        break
      case 7:
        if (name.toLowerCase() === 'upgrade') this.upgrade = value.toLowerCase()
        break
      case 10:
        if (name.toLowerCase() === 'connection') this.connection.push(...words(value))
        break
      case 14:
        if (name.toLowerCase() === 'content-length') this.#sized(value)
        break
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') this.#coded(value)
    }
  }

  #sized(value: string) {
    if (this.length !== undefined) throw new Malformed('two lengths')
    if (!LENGTH.test(value)) throw new Malformed('a length that is none')
    this.length = Number(value)
  }

  #coded(value: string) {
    if (this.chunked) throw new Malformed('two codings')
    if (this.minor === 0) throw new Malformed('chunks in HTTP/1.0')
    if (value.toLowerCase() !== 'chunked') throw new Malformed('an unknown coding', 501)
    this.chunked = true
  }

  /** Reads the lines from the second on. */
  read(lines: readonly string[], most: number): this {
    if (lines.length - 1 > most) throw new Malformed('too many fields', 431)
    for (let at = 1; at < lines.length; at++) {
      const line = lines[at]!
      const colon = line.indexOf(':')
      const name = line.slice(0, colon)
      // A folded line begins with a blank, which no name has.
      if (colon < 1 || !NAME.test(name)) throw new Malformed('a field without a name')
      this.#add(name, trimmed(line, colon + 1))
    }
    if (this.chunked && this.length !== undefined) throw new Malformed('a length and chunks')
    return this
  }
}

function linesOf(text: string): string[] {
  if (DOUBTFUL.test(text)) throw new Malformed('characters that do not belong into a head')
  return text.split('\r\n')
}

/** Reads a request's head, without the blank line at its end. Throws `Malformed`. */
export function readRequestHead(text: string, { fields }: HeadLimits): RequestHead {
  const lines = linesOf(text)
  const [, method, target, major, minor] = REQUEST_LINE.exec(lines[0]!) ?? []
  if (!method || !target) throw new Malformed('a request line that is none')
  if (major !== '1' || Number(minor) > 1) throw new Malformed('another version of HTTP', 505)
  return Object.assign(new Reading(Number(minor)).read(lines, fields), { method, target })
}

/** Reads an answer's head. Throws `Malformed`. */
export function readAnswerHead(text: string, { fields }: HeadLimits): AnswerHead {
  const lines = linesOf(text)
  const [, minor, status, reason = ''] = STATUS_LINE.exec(lines[0]!) ?? []
  if (!status) throw new Malformed('a status line that is none')
  return Object.assign(new Reading(Number(minor)).read(lines, fields), { status: Number(status), reason })
}

/** Reads fields alone, as they stand after chunks. Throws `Malformed`. */
export const readTrailers = (text: string, { fields }: HeadLimits): Fields =>
  new Reading(1).read(['', ...(text === '' ? [] : linesOf(text))], fields).fields

/** How the body of a request ends (RFC 9112, 6.3). */
export const framingOfRequest = ({ length, chunked }: Head): Framing =>
  chunked ? { kind: 'chunked' } : length ? { kind: 'sized', bytes: length } : { kind: 'none' }

/** Of an answer to a request with `method`. */
export function framingOfAnswer({ status, length, chunked }: AnswerHead, method: string): Framing {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { kind: 'none' }
  if (chunked) return { kind: 'chunked' }
  if (length === undefined) return { kind: 'close' }
  return length ? { kind: 'sized', bytes: length } : { kind: 'none' }
}

/** Whether the connection may be used again after the message. */
export const staysOpen = ({ minor, connection }: Head): boolean =>
  !connection.includes('close') && (minor === 1 || connection.includes('keep-alive'))
