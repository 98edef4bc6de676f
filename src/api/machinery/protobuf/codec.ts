/**
 * Kubernetes' protobuf, to and from the JSON form of an object: the envelope `k8s\0` + runtime.Unknown, and within it
 * the message of the kind. Tables of field numbers do the work; nothing is generated per kind.
 */
import { Buffer } from 'node:buffer'
import { type Field, type Message, messageOf } from './messages.ts'
import { SPECIAL, UNIONS } from './special.ts'
import { WireReader, WireWriter } from './wire.ts'

/** The media type of requests, answers and lists. */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf'

type Json = Record<string, unknown>

const MAGIC = Buffer.from('k8s\0')
const UNKNOWN = 'io.k8s.apimachinery.pkg.runtime.Unknown'

const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

function must(name: string): Message {
  const message = messageOf(name)
  if (!message) throw new Error(`no protobuf message ${name} is known`)
  return message
}

/** One scalar of a field; undefined where it is the zero of a field that was never set. */
function readScalar(field: Field, reader: WireReader, inList: boolean): unknown {
  const keep = inList || field.presence
  switch (field.scalar) {
    case 'string': {
      const text = reader.string()
      return text || keep ? text : undefined
    }
    case 'bool': {
      const value = reader.varint() !== 0
      return value || keep ? value : undefined
    }
    case 'bytes': {
      const { start, end } = reader.span()
      return end > start || keep ? base64(reader.bytes.subarray(start, end)) : undefined
    }
    case 'double': {
      const value = reader.double()
      return value !== 0 || keep ? value : undefined
    }
    default: {
      const value = reader.varint()
      return value !== 0 || keep ? value : undefined
    }
  }
}

function readMessage(name: string, reader: WireReader): unknown {
  const { start, end } = reader.span()
  return decodeMessage(name, new WireReader(reader.bytes, start, end))
}

const readValue = (field: Field, reader: WireReader, inList: boolean) =>
  field.message === undefined ? readScalar(field, reader, inList) : readMessage(field.message, reader)

function readEntry(field: Field, reader: WireReader, into: Json): void {
  const { start, end } = reader.span()
  const entry = new WireReader(reader.bytes, start, end)
  let key = ''
  let value: unknown = field.scalar === 'string' || field.scalar === 'bytes' ? '' : {}
  while (!entry.done) {
    const tag = entry.varint()
    if (tag >>> 3 === 1) key = entry.string()
    else if (tag >>> 3 === 2) value = readValue(field, entry, true)
    else entry.skip(tag & 7)
  }
  Object.defineProperty(into, key, { value, enumerable: true, writable: true, configurable: true })
}

function readField(field: Field, wireType: number, reader: WireReader, into: Json): void {
  if (field.shape === 'inline') {
    const { start, end } = reader.span()
    readFields(must(field.message!), new WireReader(reader.bytes, start, end), into)
  } else if (field.shape === 'map') {
    readEntry(field, reader, (into[field.name] ??= {}) as Json)
  } else if (field.shape === 'repeated') {
    const list = (into[field.name] ??= []) as unknown[]
    const packed = wireType === 2 && field.scalar !== undefined && field.scalar !== 'string' && field.scalar !== 'bytes'
    if (!packed) {
      list.push(readValue(field, reader, true))
      return
    }
    const { start, end } = reader.span()
    for (const inner = new WireReader(reader.bytes, start, end); !inner.done; )
      list.push(readScalar(field, inner, true))
  } else {
    const value = readValue(field, reader, false)
    if (value !== undefined) into[field.name] = value
  }
}

function readFields(message: Message, reader: WireReader, into: Json): void {
  while (!reader.done) {
    const tag = reader.varint()
    const field = message.byNumber.get(tag >>> 3)
    if (field) readField(field, tag & 7, reader, into)
    else reader.skip(tag & 7)
  }
}

function decodeMessage(name: string, reader: WireReader): unknown {
  const special = SPECIAL[name]
  if (special) return special.decode(reader)
  const into: Json = {}
  readFields(must(name), reader, into)
  return UNIONS[name] ? UNIONS[name].toJson(into) : into
}

/** What an envelope says and holds. */
export interface Envelope {
  readonly apiVersion: string
  readonly kind: string
  /** The message, not decoded yet. */
  readonly raw: Uint8Array
}

/** Opens the envelope. Throws for bytes that have none. */
export function openEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length < 4 || !MAGIC.every((byte, index) => bytes[index] === byte))
    throw new Error('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  const reader = new WireReader(bytes, 4)
  let apiVersion = ''
  let kind = ''
  let raw: Uint8Array = new Uint8Array()
  while (!reader.done) {
    const tag = reader.varint()
    if (tag >>> 3 === 1 || tag >>> 3 === 2) {
      const { start, end } = reader.span()
      if (tag >>> 3 === 2) raw = bytes.subarray(start, end)
      else {
        const type = new WireReader(bytes, start, end)
        while (!type.done) {
          const inner = type.varint()
          if (inner >>> 3 === 1) apiVersion = type.string()
          else if (inner >>> 3 === 2) kind = type.string()
          else type.skip(inner & 7)
        }
      }
    } else reader.skip(tag & 7)
  }
  return { apiVersion, kind, raw }
}

/** Decodes a message to its JSON form. `name` is that of the OpenAPI definition. Throws for bytes that are no message. */
export const decodeProtobuf = (name: string, raw: Uint8Array): Json => decodeMessage(name, new WireReader(raw)) as Json

/** Whether the message of that definition is known. */
export const hasMessage = (name: string) => messageOf(name) !== undefined

function writeScalar(field: Field, writer: WireWriter, value: unknown): void {
  switch (field.scalar) {
    case 'string':
      writer.stringField(field.number, String(value))
      break
    case 'bytes':
      writer.bytesField(field.number, Buffer.from(String(value), 'base64'))
      break
    case 'double':
      writer.tag(field.number, 1)
      writer.double(Number(value))
      break
    case 'bool':
      writer.tag(field.number, 0)
      writer.varint(value ? 1 : 0)
      break
    default:
      writer.tag(field.number, 0)
      writer.varint(Number(value))
  }
}

function writeValue(field: Field, writer: WireWriter, value: unknown): void {
  if (field.message === undefined) {
    writeScalar(field, writer, value)
    return
  }
  const { message, number } = field
  writer.tag(number, 2)
  writer.delimited(() => encodeInto(message, writer, value))
}

function writeFields(message: Message, writer: WireWriter, object: Json): void {
  for (const field of message.fields) {
    if (field.shape === 'inline') {
      const inner = must(field.message!)
      writer.tag(field.number, 2)
      writer.delimited(() => writeFields(inner, writer, object))
      continue
    }
    const value = object[field.name]
    if (value === undefined || value === null) continue
    if (field.shape === 'repeated') for (const element of value as unknown[]) writeValue(field, writer, element)
    else if (field.shape === 'map') writeMap(field, writer, value as Json)
    else writeValue(field, writer, value)
  }
}

function writeMap(field: Field, writer: WireWriter, map: Json): void {
  const inEntry = { ...field, number: 2 }
  for (const key of Object.keys(map).sort()) {
    writer.tag(field.number, 2)
    writer.delimited(() => {
      writer.stringField(1, key)
      writeValue(inEntry, writer, map[key])
    })
  }
}

function encodeInto(name: string, writer: WireWriter, value: unknown): void {
  const special = SPECIAL[name]
  if (special) special.encode(writer, value)
  else writeFields(must(name), writer, (UNIONS[name] ? UNIONS[name].fromJson(value) : value) as Json)
}

/** Encodes an object without an envelope. */
export function encodeProtobuf(name: string, object: object): Uint8Array {
  const writer = new WireWriter()
  encodeInto(name, writer, object)
  return writer.finish()
}

/** An object in its envelope. `apiVersion` and `kind` are taken from the object. */
export function sealEnvelope(name: string, object: { readonly apiVersion?: string; readonly kind?: string }): Buffer {
  const writer = new WireWriter()
  writer.raw(MAGIC)
  writeFields(must(UNKNOWN), writer, { typeMeta: { apiVersion: object.apiVersion ?? '', kind: object.kind ?? '' } })
  writer.tag(2, 2)
  writer.delimited(() => encodeInto(name, writer, object))
  return Buffer.from(writer.finish())
}
