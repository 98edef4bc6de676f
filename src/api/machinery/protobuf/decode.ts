/** Wire messages to their JSON form, by functions that are compiled once per message from its table. */
import { Buffer } from 'node:buffer'
import { WireReader } from '../../../lib/protobuf/wire.ts'
import { type Field, messageOf } from './messages.ts'
import { SPECIAL, UNIONS } from './special.ts'

type Json = Record<string, unknown>

/** Reads a value; undefined where it is the zero of a field that was never set. */
type Decode = (reader: WireReader) => unknown
/** Reads a field into the object that it belongs to. */
type ReadField = (reader: WireReader, into: Json, wireType: number) => void

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
/** Deeper messages are refused: what walks an object may use the stack. */
const MAX_DEPTH = 1000

const wireTypeOf = ({ scalar }: Field) =>
  scalar === undefined || scalar === 'string' || scalar === 'bytes' ? BYTES : scalar === 'double' ? FIXED64 : VARINT

function base64(reader: WireReader): string {
  const { start, end } = reader.span()
  return Buffer.from(reader.bytes.buffer, reader.bytes.byteOffset + start, end - start).toString('base64')
}

function scalarDecoder(field: Field): Decode {
  switch (field.scalar) {
    case 'string':
      return reader => reader.string()
    case 'bool':
      return reader => reader.varint() !== 0
    case 'bytes':
      return base64
    case 'double':
      return reader => reader.double()
    case 'int32':
      return reader => reader.varint() | 0
    default:
      return reader => reader.varint()
  }
}

/** A nested message, which is read up to its own end. */
function messageDecoder(name: string): Decode {
  let inner: Decode | undefined
  return reader => {
    inner ??= decoderOf(name)
    const outer = reader.enter(MAX_DEPTH)
    const value = inner(reader)
    reader.leave(outer)
    return value
  }
}

const valueDecoder = (field: Field): Decode =>
  field.message === undefined ? scalarDecoder(field) : messageDecoder(field.message)

/** Sets a field whatever its name, `__proto__` included. */
function put(into: Json, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(into, key, { value, enumerable: true, writable: true, configurable: true })
  } else into[key] = value
}

function mapReader(field: Field): ReadField {
  const decode = valueDecoder(field)
  const wireType = wireTypeOf(field)
  const zero = (): unknown =>
    field.message !== undefined ? {} : field.scalar === 'string' || field.scalar === 'bytes' ? '' : 0
  return (reader, into) => {
    const outer = reader.enter(MAX_DEPTH)
    let key = ''
    let value: unknown
    while (!reader.done) {
      const tag = reader.tag()
      if (tag === 10) key = reader.string()
      else if (tag === 16 + wireType) value = decode(reader)
      else reader.skip(tag & 7)
    }
    reader.leave(outer)
    put((into[field.name] ??= {}) as Json, key, value ?? zero())
  }
}

function listReader(field: Field): ReadField {
  const decode = valueDecoder(field)
  const wireType = wireTypeOf(field)
  return (reader, into, found) => {
    const list = (into[field.name] ??= []) as unknown[]
    if (found === wireType) {
      list.push(decode(reader))
      return
    }
    // Numbers may stand packed, one behind the other.
    const outer = reader.enter(MAX_DEPTH)
    while (!reader.done) list.push(decode(reader))
    reader.leave(outer)
  }
}

function singleReader(field: Field): ReadField {
  const decode = valueDecoder(field)
  const { name } = field
  if (field.message !== undefined || field.presence) {
    return (reader, into) => {
      const value = decode(reader)
      if (value !== undefined) into[name] = value
    }
  }
  return (reader, into) => {
    const value = decode(reader)
    // What Go writes for a field that was never set; if it stood there before, the last one counts.
    if (value) into[name] = value
    else if (into[name] !== undefined) delete into[name]
  }
}

function inlineReader(field: Field): ReadField {
  const name = field.message!
  let fields: Fields | undefined
  return (reader, into) => {
    fields ??= fieldsOf(name)
    const outer = reader.enter(MAX_DEPTH)
    readFields(fields, reader, into)
    reader.leave(outer)
  }
}

interface Fields {
  /** By number. */
  readonly read: readonly (ReadField | undefined)[]
  /** By number: the wire type that a field must have; lists of numbers may be packed as well. */
  readonly types: readonly (number | undefined)[]
  readonly packable: readonly boolean[]
}

function fieldReader(field: Field): ReadField {
  switch (field.shape) {
    case 'inline':
      return inlineReader(field)
    case 'map':
      return mapReader(field)
    case 'repeated':
      return listReader(field)
    default:
      return singleReader(field)
  }
}

function fieldsOf(name: string): Fields {
  const message = messageOf(name)
  if (!message) throw new Error(`no protobuf message ${name} is known`)
  const read: (ReadField | undefined)[] = []
  const types: (number | undefined)[] = []
  const packable: boolean[] = []
  for (const field of message.fields) {
    read[field.number] = fieldReader(field)
    types[field.number] = field.shape === 'map' ? BYTES : wireTypeOf(field)
    packable[field.number] = field.shape === 'repeated' && wireTypeOf(field) !== BYTES
  }
  return { read, types, packable }
}

function readFields({ read, types, packable }: Fields, reader: WireReader, into: Json): void {
  while (!reader.done) {
    const tag = reader.tag()
    const number = tag >>> 3
    const wireType = tag & 7
    const field = number < read.length ? read[number] : undefined
    if (!field) reader.skip(wireType)
    else if (wireType === types[number] || (wireType === BYTES && packable[number])) field(reader, into, wireType)
    else throw new RangeError(`proto: wrong wireType = ${wireType} for field ${number}`)
  }
}

function compile(name: string): Decode {
  const special = SPECIAL[name]
  if (special) return special.decode
  const fields = fieldsOf(name)
  const union = UNIONS[name]
  return reader => {
    const into: Json = {}
    readFields(fields, reader, into)
    return union ? union.toJson(into) : into
  }
}

const compiled = new Map<string, Decode>()

function decoderOf(name: string): Decode {
  let decode = compiled.get(name)
  if (!decode) compiled.set(name, (decode = compile(name)))
  return decode
}

/**
 * Decodes a message to its JSON form. `name` is that of the OpenAPI definition. Throws RangeError for bytes that are no
 * such message, SyntaxError for raw JSON in it that is none.
 */
export const decodeProtobuf = (name: string, raw: Uint8Array): Json => decoderOf(name)(new WireReader(raw)) as Json
