/**
 * Values whose JSON differs from their message: times, durations, quantities, raw JSON, and messages that are a plain
 * list or one of several forms in JSON.
 */

import type { WireReader } from '../../../lib/protobuf/wire.ts'
import { formatDuration, parseDuration, parseTime, rfc3339, rfc3339Micro } from '../time.ts'
import type { BackWriter } from './back-writer.ts'

export interface Special {
  /** Reads to the end of `reader`. undefined: the field is absent in JSON. */
  decode(reader: WireReader): unknown
  /** Writes the message's fields, the last first. */
  encode(writer: BackWriter, value: unknown): void
}

const text = new TextDecoder()

/** Reads the numbers and byte spans of a small message, by field number. */
function plain(reader: WireReader): Map<number, number | Uint8Array> {
  const found = new Map<number, number | Uint8Array>()
  while (!reader.done) {
    const tag = reader.varint()
    if ((tag & 7) === 0) found.set(tag >>> 3, reader.varint())
    else if ((tag & 7) === 2) {
      const { start, end } = reader.span()
      found.set(tag >>> 3, reader.bytes.subarray(start, end))
    } else reader.skip(tag & 7)
  }
  return found
}

const numberAt = (found: Map<number, number | Uint8Array>, number: number) =>
  (found.get(number) as number | undefined) ?? 0

// An object has the same time in several places.
let lastTime = ''
let lastSeconds = 0
let lastNanos = 0

const time = (format: (ms: number, nanos: number) => string): Special => ({
  decode(reader) {
    // An empty message is the zero time, which JSON shows as null.
    if (reader.done) return undefined
    const found = plain(reader)
    const nanos = numberAt(found, 2)
    return format(numberAt(found, 1) * 1000 + Math.floor(nanos / 1e6), nanos)
  },
  encode(writer, value) {
    const text = String(value)
    if (text !== lastTime) {
      const ms = parseTime(text)
      if (ms === undefined || Number.isNaN(ms)) return
      const fraction = /\.(\d{1,9})/.exec(text)?.[1]
      lastSeconds = Math.floor(ms / 1000)
      lastNanos = fraction ? Number(fraction.padEnd(9, '0')) : 0
      lastTime = text
    }
    writer.varint(lastNanos)
    writer.byte(16)
    writer.varint(lastSeconds)
    writer.byte(8)
  },
})

/** Bytes of JSON, kept as they are. */
const rawJson: Special = {
  decode(reader) {
    const raw = plain(reader).get(1)
    return raw instanceof Uint8Array && raw.length > 0 ? JSON.parse(text.decode(raw)) : undefined
  },
  encode(writer, value) {
    writer.textField(10, JSON.stringify(value))
  },
}

/** `{items: [...]}` on the wire, a list of strings in JSON. */
const stringList: Special = {
  decode(reader) {
    const items: string[] = []
    while (!reader.done) {
      const tag = reader.varint()
      if (tag === 10) items.push(reader.string())
      else reader.skip(tag & 7)
    }
    return items
  },
  encode(writer, value) {
    const items = value as readonly string[]
    for (let at = items.length - 1; at >= 0; at--) writer.textField(10, items[at]!)
  },
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

/** By message name. */
export const SPECIAL: Readonly<Record<string, Special>> = {
  [`${META}.Time`]: time(ms => rfc3339(ms)),
  [`${META}.MicroTime`]: time((ms, nanos) =>
    rfc3339Micro(ms).replace(/\.\d{6}/, `.${String(Math.floor(nanos / 1000)).padStart(6, '0')}`),
  ),
  [`${META}.Duration`]: {
    decode: reader => formatDuration(numberAt(plain(reader), 1) / 1e6),
    encode(writer, value) {
      writer.varint(Math.round(parseDuration(String(value)) * 1e6))
      writer.byte(8)
    },
  },
  [`${META}.FieldsV1`]: rawJson,
  [`${META}.Verbs`]: stringList,
  'io.k8s.api.authentication.v1.ExtraValue': stringList,
  'io.k8s.api.authorization.v1.ExtraValue': stringList,
  'io.k8s.api.certificates.v1.ExtraValue': stringList,
  'io.k8s.apimachinery.pkg.runtime.RawExtension': rawJson,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': rawJson,
  'io.k8s.apimachinery.pkg.api.resource.Quantity': {
    decode(reader) {
      const value = plain(reader).get(1)
      return value instanceof Uint8Array ? text.decode(value) : '0'
    },
    encode: (writer, value) => writer.textField(10, String(value)),
  },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': {
    decode(reader) {
      const found = plain(reader)
      const string = found.get(3)
      return numberAt(found, 1) === 1 ? (string instanceof Uint8Array ? text.decode(string) : '') : numberAt(found, 2)
    },
    encode(writer, value) {
      const isText = typeof value === 'string'
      writer.textField(26, isText ? value : '')
      writer.varint(isText ? 0 : Number(value))
      writer.byte(16)
      writer.byte(isText ? 1 : 0)
      writer.byte(8)
    },
  },
}

const SCHEMA = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

/** Messages of two forms: on the wire a message of several fields, in JSON the value of the one that is set. */
export interface Union {
  /** What JSON shows for the decoded message. */
  toJson(message: Record<string, unknown>): unknown
  /** The message for a JSON value. */
  fromJson(value: unknown): Record<string, unknown>
}

export const UNIONS: Readonly<Record<string, Union>> = {
  [`${SCHEMA}.JSONSchemaPropsOrArray`]: {
    toJson: message => message.jSONSchemas ?? message.schema,
    fromJson: value => (Array.isArray(value) ? { jSONSchemas: value } : { schema: value }),
  },
  [`${SCHEMA}.JSONSchemaPropsOrBool`]: {
    toJson: message => message.schema ?? message.allows ?? false,
    fromJson: value => (typeof value === 'boolean' ? { allows: value } : { allows: true, schema: value }),
  },
  [`${SCHEMA}.JSONSchemaPropsOrStringArray`]: {
    toJson: message => message.property ?? message.schema,
    fromJson: value => (Array.isArray(value) ? { property: value } : { schema: value }),
  },
}
