/** A KMS v2 plugin: three calls over gRPC on a unix socket (k8s.io/kms apis/v2, KeyManagementService). */
import type { Clock } from '../../../lib/clock.ts'
import { type CallError, type Channel, openChannel, rpcText } from '../../../lib/grpc/channel.ts'
import type { Encodable, Message } from '../../../lib/protobuf/message.ts'
import {
  decryptRequest,
  decryptResponse,
  type EncryptedObject,
  type EncryptResponse,
  encryptRequest,
  encryptResponse,
  type StatusResponse,
  statusRequest,
  statusResponse,
} from './messages.ts'

/** Each call rejects with an Error that says what the plugin, or the way to it, said. */
export interface KmsPlugin {
  status(): Promise<StatusResponse>
  encrypt(plaintext: Buffer, uid: string): Promise<EncryptResponse>
  /** The plain text of an object's source. */
  decrypt(object: EncryptedObject, uid: string): Promise<Uint8Array>
  close(): void
}

const SERVICE = 'v2.KeyManagementService'

/** Makes a client of the socket at `endpoint` (`unix:PATH`); it connects with the first call. Each call may take `timeoutMs`. */
export function kmsPlugin(endpoint: string, timeoutMs: number, clock: Clock): KmsPlugin {
  let opened: Promise<Channel> | undefined
  let isClosed = false

  async function call<A, B>(
    method: string,
    types: readonly [Message<A>, Message<B>],
    request: Encodable<A>,
  ): Promise<B> {
    if (isClosed) throw new Error('the plugin is not used any more')
    const channel = await (opened ??= openChannel(endpoint.replace(/^unix:(\/\/)?/, '')))
    const late = new AbortController()
    const timer = clock.after(timeoutMs, () => late.abort())
    try {
      return await channel.call(SERVICE, method, types, request, { signal: late.signal })
    } catch (cause) {
      const text = late.signal.aborted
        ? `rpc error: code = DeadlineExceeded desc = no answer within ${timeoutMs} ms`
        : rpcText(cause as CallError)
      throw new Error(text, { cause })
    } finally {
      timer.cancel()
    }
  }

  return {
    status: () => call('Status', [statusRequest, statusResponse], {}),
    encrypt: (plaintext, uid) => call('Encrypt', [encryptRequest, encryptResponse], { plaintext, uid }),
    async decrypt({ source, keyId, annotations }, uid) {
      const request = { ciphertext: source, uid, keyId, annotations }
      return (await call('Decrypt', [decryptRequest, decryptResponse], request)).plaintext
    },
    close() {
      isClosed = true
      void opened?.then(channel => channel.close())
    },
  }
}
