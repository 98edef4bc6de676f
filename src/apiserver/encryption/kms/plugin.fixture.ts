/** A KMS v2 plugin for tests, on a socket of its own: it seals by AES-GCM under keys that it numbers. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import { WireReader, WireWriter } from '../../../lib/protobuf/wire.ts'

export interface FakePlugin {
  readonly endpoint: string
  /** Names the key that it encrypts by from now on. */
  keyId: string
  /** What it says of itself; '' answers nothing at all. */
  healthz: string
  version: string
  readonly calls: { Status: number; Encrypt: number; Decrypt: number }
  stop(): Promise<void>
}

const fieldsOf = (bytes: Buffer): Map<number, Buffer> => {
  const found = new Map<number, Buffer>()
  const reader = new WireReader(bytes)
  while (!reader.done) {
    const field = reader.tag() >>> 3
    const { start, end } = reader.span()
    found.set(field, Buffer.from(bytes.subarray(start, end)))
  }
  return found
}

function message(...fields: [number, string | Buffer][]): Buffer {
  const writer = new WireWriter()
  for (const [number, value] of fields) writer.bytesField(number, Buffer.from(value))
  return Buffer.from(writer.finish())
}

const ANNOTATION = 'version.plugin.test'

/** Starts one. */
export async function fakePlugin(): Promise<FakePlugin> {
  const folder = mkdtempSync(join(tmpdir(), 'kms-'))
  const keys = new Map<string, Buffer>()
  const keyOf = (id: string) => keys.get(id) ?? keys.set(id, randomBytes(32)).get(id)!
  const server = new Server()
  const same = (bytes: Buffer) => bytes
  const plugin: FakePlugin = {
    endpoint: `unix:${folder}/kms.sock`,
    keyId: 'key-1',
    healthz: 'ok',
    version: 'v2',
    calls: { Status: 0, Encrypt: 0, Decrypt: 0 },
    async stop() {
      server.forceShutdown()
      rmSync(folder, { recursive: true })
    },
  }
  const methods = {
    Status: () => message([1, plugin.version], [2, plugin.healthz], [3, plugin.keyId]),
    Encrypt(request: Map<number, Buffer>) {
      const nonce = randomBytes(12)
      const sealing = createCipheriv('aes-256-gcm', keyOf(plugin.keyId), nonce)
      const ciphertext = Buffer.concat([nonce, sealing.update(request.get(1)!), sealing.final(), sealing.getAuthTag()])
      return message([1, ciphertext], [2, plugin.keyId], [3, message([1, ANNOTATION], [2, '1'])])
    },
    Decrypt(request: Map<number, Buffer>) {
      const [sealed, keyId] = [request.get(1)!, request.get(3)!.toString()]
      if (fieldsOf(request.get(4)!).get(1)!.toString() !== ANNOTATION) throw new Error('no annotation came back')
      const opening = createDecipheriv('aes-256-gcm', keyOf(keyId), sealed.subarray(0, 12))
      opening.setAuthTag(sealed.subarray(-16))
      return message([1, Buffer.concat([opening.update(sealed.subarray(12, -16)), opening.final()])])
    },
  }
  const names = Object.keys(methods) as (keyof typeof methods)[]
  const definition = names.map(name => [
    name,
    {
      path: `/v2.KeyManagementService/${name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  ])
  const handlers = names.map(name => [
    name,
    (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      plugin.calls[name]++
      if (!plugin.healthz) return
      try {
        answer(null, methods[name](fieldsOf(call.request)))
      } catch (error) {
        answer({ code: status.INTERNAL, details: (error as Error).message })
      }
    },
  ])
  server.addService(Object.fromEntries(definition), Object.fromEntries(handlers))
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(plugin.endpoint, ServerCredentials.createInsecure(), error => (error ? reject(error) : resolve())),
  )
  return plugin
}
