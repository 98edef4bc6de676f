/** gRPC to a socket of this machine, over `@grpc/grpc-js`, which is loaded with the first one. */
import type { Client } from '@grpc/grpc-js'
import type { Encodable, Message } from '../protobuf/message.ts'

/** gRPC status codes that are told apart (grpc.io status codes). */
export const CODE = {
  unknown: 2,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  unimplemented: 12,
  unavailable: 14,
} as const

/** A call that failed: gRPC's code, and the other side's own words as message. */
export class CallError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.name = 'CallError'
    this.code = code
  }
}

const WORDS = (
  'OK,Canceled,Unknown,InvalidArgument,DeadlineExceeded,NotFound,AlreadyExists,PermissionDenied,ResourceExhausted,' +
  'FailedPrecondition,Aborted,OutOfRange,Unimplemented,Internal,Unavailable,DataLoss,Unauthenticated'
).split(',')

/** A failure as clients of gRPC in Go print it. */
export const rpcText = ({ code, message }: CallError): string =>
  `rpc error: code = ${WORDS[code] ?? `Code(${code})`} desc = ${message}`

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  /** Sent along, as headers are. */
  readonly metadata?: Readonly<Record<string, string>>
}

export interface Channel {
  /** One question, one answer; rejects with `CallError`. `service` is e.g. `runtime.v1.RuntimeService`. */
  call<A, B>(
    service: string,
    method: string,
    types: readonly [Message<A>, Message<B>],
    request: Encodable<A>,
    options?: CallOptions,
  ): Promise<B>
  /** Answers that go on until the other side ends them or `signal` aborts; throws `CallError` when the stream breaks. */
  stream<A, B>(
    service: string,
    method: string,
    types: readonly [Message<A>, Message<B>],
    request: Encodable<A>,
    signal: AbortSignal,
  ): AsyncIterable<B>
  close(): void
}

/** Lists of images and containers are larger than gRPC's own limit. */
const MAX_MESSAGE = 16 * 1024 * 1024

const OPTIONS = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.max_receive_message_length': MAX_MESSAGE,
  'grpc.max_send_message_length': MAX_MESSAGE,
  // What is started again is found soon.
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1000,
}

const same = (bytes: Buffer) => bytes

/** Opens a channel to a unix socket (an absolute path). It connects with the first call. */
export async function openChannel(socket: string): Promise<Channel> {
  const { Client, Metadata, credentials } = await import('@grpc/grpc-js')
  const client: Client = new Client(`unix:${socket}`, credentials.createInsecure(), OPTIONS)
  const metadataOf = (pairs: Readonly<Record<string, string>>) => {
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(pairs)) metadata.set(name, value)
    return metadata
  }
  return {
    call(service, method, [requestType, responseType], request, { signal, timeoutMs, metadata = {} } = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<never>()
      const running = client.makeUnaryRequest(
        `/${service}/${method}`,
        same,
        responseType.decode,
        requestType.encode(request),
        metadataOf(metadata),
        (error, value) => {
          if (error) reject(new CallError(error.code, error.details))
          else resolve(value as never)
        },
      )
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => {
              reject(new CallError(CODE.deadlineExceeded, `no answer to ${method} within ${timeoutMs / 1000} s`))
              running.cancel()
            }, timeoutMs)
      const cancel = () => running.cancel()
      signal?.addEventListener('abort', cancel, { once: true })
      if (signal?.aborted) cancel()
      return promise.finally(() => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', cancel)
      })
    },
    async *stream(service, method, [requestType, responseType], request, signal) {
      const running = client.makeServerStreamRequest(
        `/${service}/${method}`,
        same,
        responseType.decode,
        requestType.encode(request),
      )
      const cancel = () => running.cancel()
      signal.addEventListener('abort', cancel, { once: true })
      if (signal.aborted) cancel()
      try {
        for await (const value of running) yield value
      } catch (error) {
        if (signal.aborted) return
        const { code, details, message } = error as { code?: number; details?: string; message: string }
        throw new CallError(code ?? CODE.unknown, details ?? message)
      } finally {
        signal.removeEventListener('abort', cancel)
        running.cancel()
      }
    },
    close: () => client.close(),
  }
}
