/**
 * grpc probes: grpc.health.v1.Health/Check in plain text (gRPC health checking protocol), over `@grpc/grpc-js`, which
 * is loaded at the first such probe. The two messages have one field each and are written out here: no .proto file.
 */

import type { Socket } from 'node:net'
import type { ChannelCredentials, ServiceError } from '@grpc/grpc-js'
import { hostPort } from '../../lib/host-port.ts'
import type { ProbeResult } from '../runtimes/runtime.ts'

const CHECK = '/grpc.health.v1.Health/Check'
const STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']

/** A probe is one question over a connection of its own, straight to the pod. */
const CHANNEL = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.primary_user_agent': 'kube-probe/1.36',
}

/** HealthCheckRequest{ service = 1 }. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service)
  return name.length > 0 ? Buffer.concat([Buffer.from([0x0a, name.length]), name]) : Buffer.alloc(0)
}

/** The number in HealthCheckResponse{ status = 1 }; a missing field is zero. */
const decodeStatus = (message: Buffer): number => (message[0] === 0x08 ? (message[1] ?? 0) : 0)

const failed = (output: string): ProbeResult => ({ ok: false, output })

function answered(status: number): ProbeResult {
  const name = STATUS[status] ?? String(status)
  if (name === 'SERVING') return { ok: true, output: 'service healthy' }
  return failed(`service unhealthy (responded with ${JSON.stringify(name)})`)
}

/**
 * Plain-text credentials whose connections end with `signal`. grpc-js forgets a connection that is still waiting for
 * the server's first frame when its channel is closed: a server that hangs would collect one per probe.
 */
function endingWith(signal: AbortSignal, credentials: ChannelCredentials): ChannelCredentials {
  const create = credentials._createSecureConnector.bind(credentials)
  credentials._createSecureConnector = (...args) => {
    const connector = create(...args)
    const connect = (socket: Socket) => {
      if (signal.aborted) socket.destroy()
      else signal.addEventListener('abort', () => socket.destroy(), { once: true })
      return connector.connect(socket)
    }
    return { ...connector, connect }
  }
  return credentials
}

/**
 * Asks the health service. `service` is of at most 127 bytes. Never rejects, and leaves neither a connection nor a
 * timer behind.
 */
export async function grpcProbe(host: string, port: number, service: string, timeoutMs: number): Promise<ProbeResult> {
  const { Client, connectivityState, credentials, status } = await import('@grpc/grpc-js')
  const address = hostPort(host, port)
  const over = new AbortController()
  const client = new Client(address, endingWith(over.signal, credentials.createInsecure()), CHANNEL)

  function refused({ code, details }: ServiceError): ProbeResult {
    if (code === status.UNIMPLEMENTED)
      return failed('error: this server does not implement the grpc health protocol (grpc.health.v1.Health)')
    if (code === status.UNAVAILABLE && client.getChannel().getConnectivityState(false) !== connectivityState.READY)
      return failed(`error: this probe could not connect to ${address}: ${details}`)
    return failed(`error: health rpc failed: rpc error: code = ${code} desc = ${details}`)
  }

  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  // Not gRPC's own deadline, which is a time of day and moves when somebody sets the machine's clock.
  const timer = setTimeout(
    () => resolve(failed(`timeout: failed to connect service ${JSON.stringify(address)} within ${timeoutMs / 1000}s`)),
    timeoutMs,
  )
  const call = client.makeUnaryRequest(CHECK, encodeRequest, decodeStatus, service, (error, value) =>
    resolve(error ? refused(error) : answered(value ?? 0)),
  )
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    call.cancel()
    client.close()
    over.abort()
  }
}
