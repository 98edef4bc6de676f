/**
 * Objects in Kubernetes' protobuf, to and from the JSON form that the rest of the program works with. Loaded when the
 * first client speaks it.
 */
import { Buffer } from 'node:buffer'
import type { Encoded } from './encoded.ts'
import { unregistered } from './kind.ts'
import type { KubeObject, ListMeta } from './object.ts'
import { decodeProtobuf } from './protobuf/decode.ts'
import { encodeProtobuf } from './protobuf/encode.ts'
import { envelopeHead, openEnvelope, seal, varint, watchFrame } from './protobuf/envelope.ts'
import { messageName } from './protobuf/message-name.ts'
import { notShowable, type StatusError } from './status-error.ts'

/** A kind as an envelope names it. */
export interface TypeMeta {
  readonly apiVersion: string
  readonly kind: string
}

/**
 * Reads an enveloped object. `expected` stands in for an apiVersion and kind that the envelope leaves out. Throws an
 * Error that says what is wrong with the bytes.
 */
export function parseProtobuf(bytes: Uint8Array, expected?: TypeMeta): Record<string, unknown> {
  const envelope = openEnvelope(bytes)
  const apiVersion = envelope.apiVersion || expected?.apiVersion || ''
  const kind = envelope.kind || expected?.kind || ''
  if (!kind) throw new Error("Object 'Kind' is missing in '&runtime.TypeMeta{}'")
  const name = messageName(apiVersion, kind)
  if (!name) throw new Error(unregistered(apiVersion, kind))
  return { apiVersion, kind, ...decodeProtobuf(name, envelope.raw) }
}

/** As upstream says it of what has no message. */
function notMarshalable({ apiVersion, kind }: TypeMeta): StatusError {
  return notShowable(
    `object ${apiVersion}, Kind=${kind} does not implement the protobuf marshalling interface and cannot be encoded to a protobuf message`,
  )
}

const typeOf = (object: KubeObject): TypeMeta => ({ apiVersion: object.apiVersion ?? '', kind: object.kind ?? '' })

function must(type: TypeMeta): string {
  const name = messageName(type.apiVersion, type.kind)
  if (!name) throw notMarshalable(type)
  return name
}

const encode = (object: KubeObject): Buffer => encodeProtobuf(must(typeOf(object)), object)

/** An object's message, without an envelope: made once, and kept with the object. */
export const messageOf = (object: Encoded): Buffer => object.message(encode)

/** Any object, enveloped. Throws StatusError NotAcceptable for one of a kind without a message. */
export function protobufOf(value: KubeObject): Buffer {
  const type = typeOf(value)
  return seal(type.apiVersion, type.kind, encode(value))
}

/** An object that is kept, enveloped. */
export function envelopeOf(object: Encoded, { apiVersion, kind }: TypeMeta): Buffer {
  return seal(apiVersion, kind, messageOf(object))
}

/** The type of an object, read from the head of its JSON where the server wrote that, without parsing it. */
export function typeOfEncoded(object: Encoded): TypeMeta {
  const known = HEAD.exec(object.bytes.toString('latin1', 0, 300))
  return known ? { kind: known[1]!, apiVersion: known[2]! } : typeOf(object.value)
}
const HEAD = /^\{"kind":"(\w+)","apiVersion":"([\w./-]+)"/

/** Field 2 of every list message: one item. */
const ITEM = 18

/** Everything of a list before its first item. `itemBytes`: what `itemHead` and the items' messages take together. */
export function listHead(type: TypeMeta, metadata: ListMeta, itemBytes: number): Buffer {
  const meta = encodeProtobuf('io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta', metadata)
  const length = varint(meta.length)
  const own = 1 + length.length + meta.length
  return Buffer.concat([envelopeHead(type.apiVersion, type.kind, own + itemBytes), Buffer.of(10), length, meta])
}

/** What stands before an item's message in a list. Written by hand: lists have many. */
export function itemHead({ length }: Buffer): Buffer {
  let size = 2
  for (let left = length; left > 127; left >>>= 7) size++
  const head = Buffer.allocUnsafe(size)
  head[0] = ITEM
  let left = length
  for (let at = 1; at < size - 1; at++, left >>>= 7) head[at] = (left & 127) | 128
  head[size - 1] = left
  return head
}

/** One event of a watch, with its length before it. */
export function frameOf(type: string, object: Encoded): Buffer {
  const { apiVersion, kind } = typeOfEncoded(object)
  return watchFrame(type, apiVersion, kind, messageOf(object))
}
