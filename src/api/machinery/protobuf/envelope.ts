/**
 * What Kubernetes puts around a message: `k8s\0` and a runtime.Unknown, which says the apiVersion and kind; and the
 * frames of a watch.
 */
import { Buffer } from 'node:buffer'
import { WireReader } from '../../../lib/protobuf/wire.ts'
import { encodeProtobuf, written } from './encode.ts'

/** The media type of requests, answers and lists. */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf'

const MAGIC = Buffer.from('k8s\0')

/** What an envelope says and holds. */
export interface Envelope {
  readonly apiVersion: string
  readonly kind: string
  /** The message, not decoded yet. */
  readonly raw: Uint8Array
}

/** Opens the envelope. Throws for bytes that have none. */
export function openEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length === 0) throw new Error('empty data')
  if (bytes.length < 4 || !MAGIC.every((byte, index) => bytes[index] === byte))
    throw new Error('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  if (bytes.length === 4) throw new Error('empty body')
  const reader = new WireReader(bytes, 4)
  let type = { apiVersion: '', kind: '' }
  let raw: Uint8Array = new Uint8Array()
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === 10) type = readType(reader)
    else if (tag === 18) {
      const { start, end } = reader.span()
      raw = bytes.subarray(start, end)
    } else reader.skip(tag & 7)
  }
  return { ...type, raw }
}

function readType(reader: WireReader) {
  const { start, end } = reader.span()
  const type = new WireReader(reader.bytes, start, end)
  let apiVersion = ''
  let kind = ''
  while (!type.done) {
    const tag = type.tag()
    if (tag === 10) apiVersion = type.string()
    else if (tag === 18) kind = type.string()
    else type.skip(tag & 7)
  }
  return { apiVersion, kind }
}

const heads = new Map<string, Buffer>()
/** Kinds come and go with CustomResourceDefinitions; their heads need not be remembered for ever. */
const HEADS = 1000

/** Magic, type and the tag of the message, up to its length. */
function headOf(apiVersion: string, kind: string): Buffer {
  const key = `${apiVersion} ${kind}`
  let head = heads.get(key)
  if (head) return head
  head = written(writer => {
    writer.byte(18)
    const before = writer.length
    writer.textField(18, kind)
    writer.textField(10, apiVersion)
    writer.varint(writer.length - before)
    writer.byte(10)
    writer.raw(MAGIC)
  })
  if (heads.size >= HEADS) heads.clear()
  heads.set(key, head)
  return head
}

/** A length as it stands before a message. */
export const varint = (value: number): Buffer => written(writer => writer.varint(value))

/** Everything that stands before a message of `length` bytes in its envelope. */
export const envelopeHead = (apiVersion: string, kind: string, length: number): Buffer =>
  Buffer.concat([headOf(apiVersion, kind), varint(length)])

/** An encoded message in its envelope. */
export const seal = (apiVersion: string, kind: string, raw: Uint8Array): Buffer =>
  Buffer.concat([headOf(apiVersion, kind), varint(raw.length), raw])

/** An object, encoded and in its envelope. `apiVersion` and `kind` are taken from the object. */
export const sealEnvelope = (name: string, object: { readonly apiVersion?: string; readonly kind?: string }): Buffer =>
  seal(object.apiVersion ?? '', object.kind ?? '', encodeProtobuf(name, object))

/** One frame of a watch: the length, and a WatchEvent whose object is enveloped. */
export function watchFrame(type: string, apiVersion: string, kind: string, raw: Uint8Array): Buffer {
  const head = headOf(apiVersion, kind)
  const frame = written(writer => {
    writer.raw(raw)
    writer.varint(raw.length)
    writer.raw(head)
    // RawExtension.raw, within WatchEvent.object
    writer.varint(writer.length)
    writer.byte(10)
    writer.varint(writer.length)
    writer.byte(18)
    writer.textField(10, type)
    const { length } = writer
    writer.byte(length & 0xff)
    writer.byte((length >>> 8) & 0xff)
    writer.byte((length >>> 16) & 0xff)
    writer.byte(length >>> 24)
  })
  return frame
}
