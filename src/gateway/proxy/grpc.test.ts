import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, test } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { hostPort } from '../../lib/host-port.ts'
import { createAuthority, issueCertificate } from '../../lib/pki/certificate.ts'
import { routeTo, startGateway, type TestGateway } from './gateway.fixture.ts'

const same = (bytes: Buffer) => bytes
const method = (path: string, streams: boolean): grpc.MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: streams,
  responseStream: streams,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
})
const SERVICE = { unary: method('/test.Echo/Unary', false), chat: method('/test.Echo/Chat', true) }
const Client = grpc.makeGenericClientConstructor(SERVICE, 'Echo')

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})

/** A gRPC server that answers what it is sent, and refuses `bad`. */
async function startServer(name: string, host = '127.0.0.1') {
  const server = new grpc.Server()
  server.addService(SERVICE, {
    unary(call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
      const text = String(call.request)
      if (text === 'bad') done({ code: grpc.status.INVALID_ARGUMENT, details: 'it is bad' })
      else done(null, Buffer.from(`${name} ${text} ${call.metadata.get('x-forwarded-proto')}`))
    },
    chat(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
      call.on('data', data => call.write(data))
      call.on('end', () => call.end())
    },
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(hostPort(host, 0), grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    )
  })
  ends.push(() => server.forceShutdown())
  return { address: { host, port }, server }
}

let own: TestGateway
let client: InstanceType<typeof Client>
const unary = (text: string) =>
  new Promise<string>((resolve, reject) => {
    client.unary!(Buffer.from(text), (error: grpc.ServiceError | null, answer: Buffer) =>
      error ? reject(error) : resolve(String(answer)),
    )
  })
const publish = (...endpoints: { host: string; port: number }[]) =>
  own.services.set('web', endpoints, { ports: [{ port: 80, appProtocol: 'kubernetes.io/h2c' }] })

before(async () => {
  const validity = { now: Date.now(), lifetime: 24 * 3600_000 }
  const authority = await createAuthority({ commonName: 'test', ...validity })
  const pair = await issueCertificate(authority, {
    usage: 'server',
    commonName: 'x',
    hosts: ['localhost'],
    ...validity,
  })
  own = await startGateway([routeTo('web')], { '': pair })
  ends.push(() => own.close())
  const credentials = grpc.credentials.createSsl(Buffer.from(authority.certificate))
  client = new Client(`127.0.0.1:${own.securePort}`, credentials, {
    'grpc.ssl_target_name_override': 'localhost',
    'grpc.default_authority': 'localhost',
  })
  ends.push(() => client.close())
})

test('sendHttp2 carries calls to gRPC servers, and the statuses in their trailers', async () => {
  publish((await startServer('a')).address)
  assert.equal(await unary('hello'), 'a hello https')
  await assert.rejects(unary('bad'), { code: grpc.status.INVALID_ARGUMENT, details: 'it is bad' })
})

const addresses = Object.values(networkInterfaces()).flatMap(each => each ?? [])
const withoutIpv6 = !addresses.some(({ address }) => address === '::1') && 'this machine has no IPv6'

test('sendHttp2 reaches endpoints with addresses of IPv6', { skip: withoutIpv6 }, async () => {
  publish((await startServer('six', '::1')).address)
  assert.equal(await unary('hello'), 'six hello https')
})

test('sendHttp2 carries streams both ways while they go on', async () => {
  publish((await startServer('a')).address)
  const call = client.chat!() as grpc.ClientDuplexStream<Buffer, Buffer>
  for (const text of ['one', 'two']) {
    call.write(Buffer.from(text))
    assert.equal(String((await once(call, 'data'))[0]), text)
  }
  call.end()
  call.resume()
  await once(call, 'end')
})

test('sendHttp2 goes to another endpoint where one takes no connection, and leaves one that is gone', async () => {
  const [gone, next] = [await startServer('gone'), await startServer('next')]
  publish(gone.address)
  assert.equal(await unary('hello'), 'gone hello https')
  publish(next.address)
  assert.equal(await unary('hello'), 'next hello https')
  gone.server.forceShutdown()
  publish(gone.address, next.address)
  for (let at = 0; at < 4; at++) assert.equal(await unary('hello'), 'next hello https')
})

test('sendHttp2 lets no client take an answer that its backend broke off for a whole one', async () => {
  const server = createHttp2Server()
  server.on('stream', (stream: ServerHttp2Stream, { ':path': path }) => {
    stream.on('error', () => {})
    stream.respond({ ':status': 200 })
    stream.write('half')
    setImmediate(() => {
      if (path === '/stream') stream.destroy(new Error('broken'))
      else stream.session?.destroy()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => server.close())
  const broken = await startGateway([routeTo('web')])
  ends.push(() => broken.close())
  const { port } = server.address() as AddressInfo
  broken.services.set('web', [{ host: '127.0.0.1', port }], { ports: [{ port: 80, appProtocol: 'kubernetes.io/h2c' }] })
  for (const path of ['/stream', '/session']) {
    const sent = request({ host: '127.0.0.1', port: broken.port, path, agent: false }).end()
    const [response] = await once(sent, 'response')
    await assert.rejects(response.toArray(), { code: 'ECONNRESET' }, path)
  }
})
