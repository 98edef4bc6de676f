/**
 * The messages of the KMS v2 plugin protocol (k8s.io/kms apis/v2) and the one in which Kubernetes keeps a value that
 * was encrypted by its help, as protobuf: a handful of fields, written out here.
 */
import { WireReader, WireWriter } from '../../../api/machinery/protobuf/wire.ts'

export type Annotations = ReadonlyMap<string, Buffer>

export interface StatusResponse {
  readonly version: string
  readonly healthz: string
  readonly keyId: string
}

export interface EncryptResponse {
  readonly ciphertext: Buffer
  readonly keyId: string
  readonly annotations: Annotations
}

/** How the plain text of `source` becomes the key: it is the key, or a seed from which each value's key is derived. */
export const SOURCE_KEY = 0
export const SOURCE_SEED = 1

/** A value as it is stored: what the plugin must decrypt to read it, and the data. */
export interface EncryptedObject {
  readonly data: Buffer
  readonly keyId: string
  readonly source: Buffer
  readonly sourceType: number
  readonly annotations: Annotations
}

/** Calls back with each field's number; the callback reads the value and returns true, or leaves it to be skipped. */
function eachField(bytes: Uint8Array, read: (field: number, reader: WireReader) => boolean): void {
  const reader = new WireReader(bytes)
  while (!reader.done) {
    const tag = reader.tag()
    if (!read(tag >>> 3, reader)) reader.skip(tag & 7)
  }
}

const bytesOf = (reader: WireReader) => {
  const { start, end } = reader.span()
  return Buffer.from(reader.bytes.subarray(start, end))
}

function readAnnotation(bytes: Buffer, into: Map<string, Buffer>): void {
  let key = ''
  let value = Buffer.alloc(0)
  eachField(bytes, (field, reader) => {
    if (field === 1) key = reader.string()
    else if (field === 2) value = bytesOf(reader)
    else return false
    return true
  })
  into.set(key, value)
}

function writeAnnotations(writer: WireWriter, field: number, annotations: Annotations): void {
  for (const [key, value] of annotations) {
    writer.tag(field, 2)
    writer.delimited(() => {
      writer.stringField(1, key)
      writer.bytesField(2, value)
    })
  }
}

const message = (write: (writer: WireWriter) => void): Buffer => {
  const writer = new WireWriter()
  write(writer)
  return Buffer.from(writer.finish())
}

export const encryptRequest = (plaintext: Buffer, uid: string): Buffer =>
  message(writer => {
    writer.bytesField(1, plaintext)
    writer.stringField(2, uid)
  })

export const decryptRequest = ({ source, keyId, annotations }: EncryptedObject, uid: string): Buffer =>
  message(writer => {
    writer.bytesField(1, source)
    writer.stringField(2, uid)
    writer.stringField(3, keyId)
    writeAnnotations(writer, 4, annotations)
  })

export function statusResponse(bytes: Buffer): StatusResponse {
  const found = { version: '', healthz: '', keyId: '' }
  eachField(bytes, (field, reader) => {
    if (field === 1) found.version = reader.string()
    else if (field === 2) found.healthz = reader.string()
    else if (field === 3) found.keyId = reader.string()
    else return false
    return true
  })
  return found
}

export function decryptResponse(bytes: Buffer): Buffer {
  let plaintext = Buffer.alloc(0)
  eachField(bytes, (field, reader) => {
    if (field !== 1) return false
    plaintext = bytesOf(reader)
    return true
  })
  return plaintext
}

export function encryptResponse(bytes: Buffer): EncryptResponse {
  let ciphertext = Buffer.alloc(0)
  let keyId = ''
  const annotations = new Map<string, Buffer>()
  eachField(bytes, (field, reader) => {
    if (field === 1) ciphertext = bytesOf(reader)
    else if (field === 2) keyId = reader.string()
    else if (field === 3) readAnnotation(bytesOf(reader), annotations)
    else return false
    return true
  })
  return { ciphertext, keyId, annotations }
}

export const encodeObject = ({ data, keyId, source, sourceType, annotations }: EncryptedObject): Buffer =>
  message(writer => {
    writer.bytesField(1, data)
    writer.stringField(2, keyId)
    writer.bytesField(3, source)
    writeAnnotations(writer, 4, annotations)
    if (sourceType !== SOURCE_KEY) {
      writer.tag(5, 0)
      writer.varint(sourceType)
    }
  })

/** Throws for bytes that are no such message. */
export function decodeObject(bytes: Buffer): EncryptedObject {
  let data = Buffer.alloc(0)
  let source = Buffer.alloc(0)
  let keyId = ''
  let sourceType = SOURCE_KEY
  const annotations = new Map<string, Buffer>()
  eachField(bytes, (field, reader) => {
    if (field === 1) data = bytesOf(reader)
    else if (field === 2) keyId = reader.string()
    else if (field === 3) source = bytesOf(reader)
    else if (field === 4) readAnnotation(bytesOf(reader), annotations)
    else if (field === 5) sourceType = reader.varint()
    else return false
    return true
  })
  return { data, keyId, source, sourceType, annotations }
}
