/**
 * The socket at which device plugins register. gRPC is loaded with the first connection: most nodes never see one. A
 * socket that is made anew tells plugins that the node began anew, and they register again.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Server, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import { CODE } from '../../lib/grpc/channel.ts'
import { lazy } from '../../lib/lazy.ts'
import type { Logger } from '../../lib/log.ts'
import { empty, REGISTRATION, type RegisterRequest, registerRequest } from './messages.ts'

export interface RegistrationDeps {
  /** Made where it is missing. */
  readonly directory: string
  readonly logger: Logger
  /** Takes a plugin in; rejects with an `Error` that it is told. */
  register(request: RegisterRequest): Promise<void>
}

/** Listens until `signal` aborts. */
export function serveRegistration({ directory, logger, register }: RegistrationDeps, signal: AbortSignal): void {
  const path = join(directory, 'kubelet.sock')
  const injector = lazy(async () => {
    const { Server, ServerCredentials } = await import('@grpc/grpc-js')
    const server: Server = new Server()
    const method = {
      path: `/${REGISTRATION}/Register`,
      requestStream: false,
      responseStream: false,
      requestSerialize: registerRequest.encode,
      requestDeserialize: registerRequest.decode,
      responseSerialize: empty.encode,
      responseDeserialize: empty.decode,
    }
    server.addService(
      { Register: method },
      {
        Register({ request }: ServerUnaryCall<RegisterRequest, object>, done: sendUnaryData<object>) {
          register(request).then(
            () => done(null, {}),
            (error: Error) => done({ code: CODE.unknown, details: error.message }),
          )
        },
      },
    )
    signal.addEventListener('abort', () => server.forceShutdown(), { once: true })
    return server.createConnectionInjector(ServerCredentials.createInsecure())
  })
  mkdirSync(directory, { recursive: true, mode: 0o750 })
  rmSync(path, { force: true })
  const listener = createServer({ pauseOnConnect: true }, connection => {
    connection.on('error', () => {})
    void injector.load().then(found => {
      found.injectConnection(connection)
      connection.resume()
    })
  })
  listener.on('error', error => logger.warn({ err: error, path }, 'device plugins cannot register'))
  listener.listen(path)
  signal.addEventListener('abort', () => listener.close(), { once: true })
}
