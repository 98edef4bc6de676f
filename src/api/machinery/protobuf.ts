/** Bodies of requests in Kubernetes' protobuf, as the JSON they stand for. Loaded when the first one comes. */
import { decodeProtobuf, openEnvelope } from './protobuf/codec.ts'
import { messageName } from './protobuf/message-name.ts'

/** Reads an enveloped object. Throws an Error that says what is wrong with the bytes. */
export function parseProtobuf(bytes: Uint8Array): Record<string, unknown> {
  const { apiVersion, kind, raw } = openEnvelope(bytes)
  const name = messageName(apiVersion, kind)
  if (!name) throw new Error(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`)
  return { apiVersion, kind, ...decodeProtobuf(name, raw) }
}
