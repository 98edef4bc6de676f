/** Objects in their JSON form to wire messages, by functions that are compiled once per message from its table. */
import { Buffer } from 'node:buffer'
import { BackWriter } from './back-writer.ts'
import { type Field, messageOf } from './messages.ts'
import { SPECIAL, UNIONS } from './special.ts'

type Json = Readonly<Record<string, unknown>>

/** Writes the fields of one object, the last first, without a length. */
export type Encode = (writer: BackWriter, value: unknown) => void

const VARINT = 0
const FIXED64 = 1
const BYTES = 2

const tagOf = (field: Field, wireType: number) => field.number * 8 + wireType

function scalarEncoder(field: Field, tag: number): Encode {
  switch (field.scalar) {
    case 'string':
      return (writer, value) => writer.textField(tag, typeof value === 'string' ? value : String(value))
    case 'bytes':
      return (writer, value) => {
        const bytes = Buffer.from(String(value), 'base64')
        writer.raw(bytes)
        writer.varint(bytes.length)
        writer.varint(tag)
      }
    case 'double':
      return (writer, value) => {
        writer.double(Number(value))
        writer.varint(tag)
      }
    case 'bool':
      return (writer, value) => {
        writer.byte(value ? 1 : 0)
        writer.varint(tag)
      }
    default:
      return (writer, value) => {
        writer.varint(Number(value))
        writer.varint(tag)
      }
  }
}

/** One value with its tag. */
function valueEncoder(field: Field): Encode {
  if (field.message === undefined) {
    const { scalar } = field
    const wireType = scalar === 'double' ? FIXED64 : scalar === 'string' || scalar === 'bytes' ? BYTES : VARINT
    return scalarEncoder(field, tagOf(field, wireType))
  }
  const tag = tagOf(field, BYTES)
  const name = field.message
  // Messages refer to themselves and each other: the inner one is compiled when it is first met.
  let inner: Encode | undefined
  return (writer, value) => {
    inner ??= encoderOf(name)
    const before = writer.length
    inner(writer, value)
    writer.varint(writer.length - before)
    writer.varint(tag)
  }
}

function mapEncoder(field: Field): Encode {
  const encode = valueEncoder({ ...field, number: 2, shape: 'single' })
  const tag = tagOf(field, BYTES)
  return (writer, value) => {
    const map = value as Json
    const keys = Object.keys(map)
    for (let at = keys.length - 1; at >= 0; at--) {
      const before = writer.length
      encode(writer, map[keys[at]!])
      writer.textField(10, keys[at]!)
      writer.varint(writer.length - before)
      writer.varint(tag)
    }
  }
}

function listEncoder(field: Field): Encode {
  const encode = valueEncoder(field)
  return (writer, value) => {
    const list = value as readonly unknown[]
    for (let at = list.length - 1; at >= 0; at--) encode(writer, list[at])
  }
}

function fieldEncoder(field: Field): Encode {
  if (field.shape === 'map') return mapEncoder(field)
  return field.shape === 'repeated' ? listEncoder(field) : valueEncoder(field)
}

/**
 * Objects have few of the fields that their messages have, so it is their keys that are walked. Fields stand in the
 * message in the order of JSON, which readers do not mind.
 */
function fieldsEncoder(fields: readonly Field[]): Encode {
  const byName = new Map(fields.map(field => [field.name, fieldEncoder(field)]))
  return (writer, object) => {
    for (const name in object as Json) {
      const encode = byName.get(name)
      if (encode === undefined) continue
      const value = (object as Json)[name]
      if (value !== undefined && value !== null) encode(writer, value)
    }
  }
}

function compile(name: string): Encode {
  const special = SPECIAL[name]
  if (special) return special.encode
  const message = messageOf(name)
  if (!message) throw new Error(`no protobuf message ${name} is known`)
  const own = fieldsEncoder(message.fields.filter(field => field.shape !== 'inline'))
  // An inline message takes its fields from its parent's JSON.
  const inline = message.fields.filter(field => field.shape === 'inline').map(valueEncoder)
  const write: Encode = inline.length
    ? (writer, object) => {
        for (const encode of inline) encode(writer, object)
        own(writer, object)
      }
    : own
  const union = UNIONS[name]
  return union ? (writer, value) => write(writer, union.fromJson(value)) : write
}

const compiled = new Map<string, Encode>()

/** The encoder of the message of that name. Throws for a name that is not known. */
export function encoderOf(name: string): Encode {
  let encode = compiled.get(name)
  if (!encode) compiled.set(name, (encode = compile(name)))
  return encode
}

const shared = new BackWriter()

/** What `write` writes. Must not be called from within `write`. */
export function written(write: (writer: BackWriter) => void): Buffer {
  try {
    write(shared)
    return shared.take()
  } finally {
    shared.clear()
  }
}

/** Encodes an object without an envelope. `name` is that of the OpenAPI definition, e.g. `io.k8s.api.core.v1.Pod`. */
export function encodeProtobuf(name: string, object: object): Buffer {
  const encode = encoderOf(name)
  return written(writer => encode(writer, object))
}
