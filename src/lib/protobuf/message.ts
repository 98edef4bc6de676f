/**
 * Protobuf messages as tables of fields, for services of a handful of messages. What is decoded
 * is complete, as proto3 has it: a field that was not sent is 0, '' or empty, and a nested message is undefined. What is
 * encoded may leave out anything.
 */
import { WireReader, WireWriter } from './wire.ts'

/** How values of one type lie on the wire. */
interface WireType<T> {
  /** 0: varint, 1: eight bytes, 2: behind its length. */
  readonly wire: 0 | 1 | 2
  readonly zero: T | undefined
  read(reader: WireReader): T
  write(writer: WireWriter, value: T): void
}

/** A message's fields; `Decoded` and `Encodable` are its values. */
export interface Message<T> extends WireType<T> {
  decode(bytes: Uint8Array): T
  encode(value: Encodable<T>): Buffer
}

/** The value without what may be left out. */
export type Encodable<T> = T extends Uint8Array | string | number | boolean
  ? T
  : T extends readonly (infer E)[]
    ? readonly Encodable<E>[]
    : T extends object
      ? { readonly [K in keyof T]?: Encodable<T[K]> | undefined }
      : T

/** The value of a message type. */
export type ValueOf<M> = M extends Message<infer T> ? T : never

/** One field as it is read into, and written from, an object. */
interface Field<T> {
  readonly number: number
  /** Wire types in which it comes; one of another is no value of it. */
  readonly wires: readonly number[]
  readonly zero: () => T
  read(reader: WireReader, wire: number, before: T): T
  write(writer: WireWriter, value: T): void
}

const scalar = <T>(
  wire: 0 | 1 | 2,
  zero: T,
  read: (reader: WireReader) => T,
  write: (writer: WireWriter, value: T) => void,
): WireType<T> => ({ wire, zero, read, write })

/** int32, int64, uint32, uint64 and enums: exact up to 2^53, beyond it to 15 digits. */
export const int = scalar<number>(
  0,
  0,
  reader => reader.varint(),
  (writer, value) => writer.varint(value),
)
export const bool = scalar<boolean>(
  0,
  false,
  reader => reader.varint() !== 0,
  (writer, value) => writer.varint(value ? 1 : 0),
)
export const double = scalar<number>(
  1,
  0,
  reader => reader.double(),
  (writer, value) => writer.double(value),
)
export const bytes = scalar<Uint8Array>(
  2,
  new Uint8Array(),
  reader => {
    const { start, end } = reader.span()
    return reader.bytes.subarray(start, end)
  },
  (writer, value) => {
    writer.varint(value.length)
    writer.raw(value)
  },
)
export const string = scalar<string>(
  2,
  '',
  reader => reader.string(),
  (writer, value) => {
    const encoded = Buffer.from(value)
    writer.varint(encoded.length)
    writer.raw(encoded)
  },
)

const put = <T>(writer: WireWriter, number: number, type: WireType<T>, value: T) => {
  writer.tag(number, type.wire)
  type.write(writer, value)
}

type Single<T> = T extends Uint8Array | string | number | boolean ? T : T | undefined

/** A field that is there once. */
export const one = <T>(number: number, type: WireType<T>): Field<Single<T>> => ({
  number,
  wires: [type.wire],
  zero: () => type.zero as Single<T>,
  read: reader => type.read(reader) as Single<T>,
  write(writer, value) {
    if (value !== undefined && value !== type.zero) put(writer, number, type, value as T)
  },
})

/** A repeated field; numbers are read packed and one by one. */
export const many = <T>(number: number, type: WireType<T>): Field<readonly T[]> => ({
  number,
  wires: [type.wire, 2],
  zero: () => [],
  read(reader, wire, before) {
    // Of this message alone, and not handed out yet: a copy for each would cost the square of a long list.
    const values = before as T[]
    if (wire !== 2 || type.wire === 2) {
      values.push(type.read(reader))
      return values
    }
    const { start, end } = reader.span()
    const packed = new WireReader(reader.bytes, start, end)
    while (!packed.done) values.push(type.read(packed))
    return values
  },
  write(writer, values) {
    for (const value of values) put(writer, number, type, value)
  },
})

/** map<string, T>. */
const mapOf = <T>(
  number: number,
  entry: Message<{ readonly key: string; readonly value: T }>,
): Field<Readonly<Record<string, T>>> => ({
  number,
  wires: [2],
  zero: () => ({}),
  read(reader, _wire, before) {
    const { key, value } = entry.read(reader)
    return { ...before, [key]: value }
  },
  write(writer, values) {
    for (const [key, value] of Object.entries(values)) put(writer, number, entry, { key, value })
  },
})

/** A field of whatever type. */
interface AnyField extends Pick<Field<unknown>, 'number' | 'wires' | 'zero'> {
  read(reader: WireReader, wire: number, before: never): unknown
  write(writer: WireWriter, value: never): void
}
type Fields = Readonly<Record<string, AnyField>>
type Decoded<F> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never }

/** Reads a message whose bytes are all that the reader has. */
function readAll<F extends Fields>(reader: WireReader, fields: F, byNumber: ReadonlyMap<number, string>): Decoded<F> {
  const value: Record<string, unknown> = {}
  for (const name in fields) value[name] = fields[name]!.zero()
  while (!reader.done) {
    const tag = reader.tag()
    const name = byNumber.get(tag >>> 3)
    const field = name === undefined ? undefined : fields[name]
    if (name === undefined || !field?.wires.includes(tag & 7)) reader.skip(tag & 7)
    else value[name] = field.read(reader, tag & 7, value[name] as never)
  }
  return value as Decoded<F>
}

/** Makes a message type of its fields. */
export function message<F extends Fields>(fields: F): Message<Decoded<F>> {
  const byNumber = new Map(Object.entries(fields).map(([name, field]) => [field.number, name]))
  const writeAll = (writer: WireWriter, value: Record<string, unknown>) => {
    for (const name in fields) if (value[name] !== undefined) fields[name]!.write(writer, value[name] as never)
  }
  return {
    wire: 2,
    zero: undefined,
    read(reader) {
      const { start, end } = reader.span()
      return readAll(new WireReader(reader.bytes, start, end), fields, byNumber)
    },
    write: (writer, value) => writer.delimited(() => writeAll(writer, value as Record<string, unknown>)),
    decode: source => readAll(new WireReader(source), fields, byNumber),
    encode(value) {
      const writer = new WireWriter()
      writeAll(writer, value as Record<string, unknown>)
      return Buffer.from(writer.finish())
    },
  }
}

const strings = message({ key: one(1, string), value: one(2, string) })
const blobs = message({ key: one(1, string), value: one(2, bytes) })

/** map<string, string>. */
export const map = (number: number): Field<Readonly<Record<string, string>>> => mapOf(number, strings)

/** map<string, bytes>. */
export const bytesMap = (number: number): Field<Readonly<Record<string, Uint8Array>>> => mapOf(number, blobs)
