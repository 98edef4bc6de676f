import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import test, { type TestContext } from 'node:test'
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { grpcProbe } from './grpc.ts'

const raw = (message: Buffer): Buffer => message

/** The health service with messages as bytes: the probe's own code must not write both sides. */
const healthOf = (path: string): ServiceDefinition => ({
  check: {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  },
})

type Reply = Buffer | { code: number; details: string } | 'none'

/** A gRPC server on loopback; what it was asked stands in `asked`. */
async function serve(t: TestContext, reply: Reply, path = '/grpc.health.v1.Health/Check') {
  const asked: Buffer[] = []
  const agents: unknown[] = []
  const server = new Server()
  server.addService(healthOf(path), {
    check: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
      asked.push(call.request)
      agents.push(call.metadata.get('user-agent')[0])
      if (reply === 'none') return
      if (Buffer.isBuffer(reply)) callback(null, reply)
      else callback(reply)
    },
  })
  t.after(() => server.forceShutdown())
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error ? reject(error) : resolve(port),
  )
  return { port: await promise, asked, agents }
}

const answers: { reply: Reply; path?: string; ok: boolean; output: string }[] = [
  { reply: Buffer.from([0x08, 1]), ok: true, output: 'service healthy' },
  { reply: Buffer.from([0x08, 2]), ok: false, output: 'service unhealthy (responded with "NOT_SERVING")' },
  { reply: Buffer.from([0x08, 3]), ok: false, output: 'service unhealthy (responded with "SERVICE_UNKNOWN")' },
  { reply: Buffer.alloc(0), ok: false, output: 'service unhealthy (responded with "UNKNOWN")' },
  {
    reply: Buffer.alloc(0),
    path: '/shop.Cart/Get',
    ok: false,
    output: 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)',
  },
  {
    reply: { code: status.NOT_FOUND, details: 'unknown service' },
    ok: false,
    output: 'error: health rpc failed: rpc error: code = 5 desc = unknown service',
  },
  {
    reply: { code: status.UNAVAILABLE, details: 'starting' },
    ok: false,
    output: 'error: health rpc failed: rpc error: code = 14 desc = starting',
  },
]

for (const { reply, path, ok, output } of answers)
  test(`grpcProbe reports: ${output}`, async t => {
    const { port } = await serve(t, reply, path)
    assert.deepEqual(await grpcProbe('127.0.0.1', port, '', 5000), { ok, output })
  })

test('grpcProbe asks for the service it was given, as a kubelet would', async t => {
  const { port, asked, agents } = await serve(t, Buffer.from([0x08, 1]))
  await grpcProbe('127.0.0.1', port, 'cart', 5000)
  assert.deepEqual(asked, [Buffer.from('\x0a\x04cart')])
  assert.match(String(agents[0]), /^kube-probe\//)
})

test('grpcProbe says at once that nobody listens', async () => {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  listener.close()
  await once(listener, 'close')
  const { ok, output } = await grpcProbe('127.0.0.1', port, '', 60_000)
  assert.equal(ok, false)
  assert.match(output, new RegExp(`^error: this probe could not connect to 127.0.0.1:${port}: .*ECONNREFUSED`))
})

test('grpcProbe gives up after its timeout and lets go of the connection', async t => {
  for (const reply of ['none', 'silence'] as const) {
    const sockets: Socket[] = []
    const silent = createServer(socket => sockets.push(socket.resume().on('error', () => {}))).listen(0, '127.0.0.1')
    t.after(() => silent.close())
    await once(silent, 'listening')
    const port = reply === 'none' ? (await serve(t, reply)).port : (silent.address() as AddressInfo).port
    assert.deepEqual(await grpcProbe('127.0.0.1', port, '', 100), {
      ok: false,
      output: `timeout: failed to connect service "127.0.0.1:${port}" within 0.1s`,
    })
    for (const socket of sockets) if (!socket.closed) await once(socket, 'close')
  }
})

test('grpcProbe leaves no timer that keeps the process', async t => {
  const { port } = await serve(t, Buffer.from([0x08, 1]))
  const timers = () => process.getActiveResourcesInfo().filter(each => each === 'Timeout').length
  const before = timers()
  await grpcProbe('127.0.0.1', port, '', 5000)
  assert.equal(timers(), before)
})
