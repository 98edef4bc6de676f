/** gRPC services in a test's own process. */
import {
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import type { Message } from '../../../src/lib/protobuf/message.ts'

type Handler = (request: never) => Promise<object>
/** Writes answers with `send` for as long as it wants. */
type Streamer = (send: (answer: object) => void, ended: AbortSignal) => void

/** Serves one gRPC service on a socket: methods with one answer, and methods with a stream of them. */
export async function serve(
  socket: string,
  service: string,
  methods: Record<string, [Message<never>, Message<never>, Handler]>,
  streams: Record<string, [Message<never>, Message<never>, Streamer]> = {},
): Promise<Server> {
  const server = new Server()
  const definition: Record<string, object> = {}
  const implementation: UntypedServiceImplementation = {}
  const define = (name: string, input: Message<never>, output: Message<never>, responseStream: boolean) => {
    definition[name] = {
      path: `/${service}/${name}`,
      requestStream: false,
      responseStream,
      requestSerialize: (value: never) => input.encode(value),
      requestDeserialize: (bytes: Buffer) => input.decode(bytes),
      responseSerialize: (value: never) => output.encode(value),
      responseDeserialize: (bytes: Buffer) => output.decode(bytes),
    }
  }
  for (const [name, [input, output, handle]] of Object.entries(methods)) {
    define(name, input, output, false)
    implementation[name] = ((call: { request: never }, done: (error: object | null, value?: object) => void) => {
      handle(call.request).then(
        value => done(null, value),
        error => done({ code: error.code ?? 13, details: error.message }),
      )
    }) as unknown as UntypedServiceImplementation[string]
  }
  for (const [name, [input, output, start]] of Object.entries(streams)) {
    define(name, input, output, true)
    implementation[name] = ((call: ServerWritableStream<never, object>) => {
      const ended = new AbortController()
      call.on('close', () => ended.abort())
      call.on('cancelled', () => ended.abort())
      start(answer => void call.write(answer), ended.signal)
    }) as unknown as UntypedServiceImplementation[string]
  }
  server.addService(definition as ServiceDefinition, implementation)
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), error =>
      error ? reject(error) : resolve(),
    ),
  )
  return server
}
