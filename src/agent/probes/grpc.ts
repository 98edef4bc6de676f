/**
 * grpc probes: grpc.health.v1.Health/Check over plain HTTP/2 (gRPC health checking protocol). One request with one
 * string field and one answer with one enum need no library.
 */
import http2 from 'node:http2'
import type { ProbeResult } from '../runtimes/runtime.ts'

const SERVING = 1

/** A gRPC message: flag, length, HealthCheckRequest{ service = 1 }. */
function request(service: string): Buffer {
  const name = Buffer.from(service)
  const body = name.length > 0 ? Buffer.concat([Buffer.from([0x0a, name.length]), name]) : Buffer.alloc(0)
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}

/** HealthCheckResponse{ status = 1 }. */
const statusIn = (message: Buffer): number => (message.length >= 7 && message[5] === 0x08 ? message[6]! : 0)

/** Asks the health service. `service` is of at most 127 bytes. Never rejects. */
export function grpcProbe(host: string, port: number, service: string, timeoutMs: number): Promise<ProbeResult> {
  const address = `${host}:${port}`
  return new Promise(resolve => {
    const session = http2.connect(`http://${address}`)
    const done = (ok: boolean, output: string) => {
      clearTimeout(timer)
      session.destroy()
      resolve({ ok, output })
    }
    const unreachable = () =>
      done(false, `timeout: failed to connect service ${JSON.stringify(address)} within ${timeoutMs / 1000}s`)
    const timer = setTimeout(unreachable, timeoutMs)
    session.on('error', error => done(false, `error: this probe could not connect to ${address}: ${error.message}`))
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'kube-probe/1.36',
    })
    const chunks: Buffer[] = []
    let code = '0'
    let message = ''
    const note = (headers: http2.IncomingHttpHeaders) => {
      if (headers['grpc-status'] !== undefined) code = String(headers['grpc-status'])
      if (headers['grpc-message']) message = decodeURIComponent(String(headers['grpc-message']))
    }
    stream.on('response', note)
    stream.on('trailers', note)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', error => done(false, `error: health rpc failed: ${error.message}`))
    stream.on('end', () => {
      if (code === '12')
        return done(false, 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)')
      if (code !== '0') return done(false, `error: health rpc failed: rpc error: code = ${code} desc = ${message}`)
      const status = statusIn(Buffer.concat(chunks))
      if (status === SERVING) return done(true, 'service healthy')
      const name = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'][status] ?? String(status)
      done(false, `service unhealthy (responded with ${JSON.stringify(name)})`)
    })
    stream.end(request(service))
  })
}
