/** A KMS v2 plugin: three calls over gRPC on a unix socket (k8s.io/kms apis/v2, KeyManagementService). */
import type { Client, ServiceError } from '@grpc/grpc-js'
import type { Clock } from '../../../lib/clock.ts'
import {
  decryptRequest,
  decryptResponse,
  type EncryptedObject,
  type EncryptResponse,
  encryptRequest,
  encryptResponse,
  type StatusResponse,
  statusResponse,
} from './messages.ts'

/** Each call rejects with an Error that says what the plugin, or the way to it, said. */
export interface KmsPlugin {
  status(): Promise<StatusResponse>
  encrypt(plaintext: Buffer, uid: string): Promise<EncryptResponse>
  /** The plain text of an object's source. */
  decrypt(object: EncryptedObject, uid: string): Promise<Buffer>
  close(): void
}

const SERVICE = '/v2.KeyManagementService/'

const CHANNEL = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  // A plugin that is started again is found soon.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 3000,
}

const same = (bytes: Buffer) => bytes

/** Makes a client; it connects with the first call. Each call may take `timeoutMs`. */
export function kmsPlugin(endpoint: string, timeoutMs: number, clock: Clock): KmsPlugin {
  let opened: Promise<Client> | undefined
  let isClosed = false

  async function open(): Promise<Client> {
    const { Client, credentials } = await import('@grpc/grpc-js')
    return new Client(endpoint, credentials.createInsecure(), CHANNEL)
  }
  async function call<T>(method: string, request: Buffer, decode: (bytes: Buffer) => T): Promise<T> {
    if (isClosed) throw new Error('the plugin is not used any more')
    const client = await (opened ??= open())
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const running = client.makeUnaryRequest(SERVICE + method, same, decode, request, (error, value) => {
      if (error) reject(new Error(saying(error), { cause: error }))
      else resolve(value!)
    })
    const timer = clock.after(timeoutMs, () => {
      reject(new Error(`rpc error: code = DeadlineExceeded desc = no answer within ${timeoutMs} ms`))
      running.cancel()
    })
    try {
      return await promise
    } finally {
      timer.cancel()
    }
  }

  return {
    status: () => call('Status', Buffer.alloc(0), statusResponse),
    encrypt: (plaintext, uid) => call('Encrypt', encryptRequest(plaintext, uid), encryptResponse),
    decrypt: (object, uid) => call('Decrypt', decryptRequest(object, uid), decryptResponse),
    close() {
      isClosed = true
      void opened?.then(client => client.close())
    },
  }
}

const saying = ({ code, details }: ServiceError) => `rpc error: code = ${code} desc = ${details}`
