import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { realClock } from '../../lib/clock.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { createWebhookCaller, type WebhookAddress } from './call.ts'
import { type Answerer, startWebhook } from './webhook-server.fixture.ts'

const missing = (namespace: string, name: string): never => {
  throw new Error(`service ${JSON.stringify(name)} not found in ${namespace}`)
}

async function setup(t: TestContext, answer: Answerer, hosts?: string[]) {
  const server = await startWebhook(answer, hosts)
  const clock = virtualClock()
  const resolve = (namespace: string, name: string) =>
    name === 'hook' ? { host: '127.0.0.1', port: server.port } : missing(namespace, name)
  const caller = createWebhookCaller({ resolve, clock })
  const url = `https://127.0.0.1:${server.port}/path`
  const post = (address: WebhookAddress = { url, caBundle: server.caBundle }, more: object = {}) =>
    caller.endpoint(address).post({ hello: 1 }, { timeoutMs: 10_000, ...more })
  t.after(() => {
    caller.close()
    return server.close()
  })
  return { server, clock, post, url }
}

test('a webhook is sent the document and the timeout, over one connection that is kept', async t => {
  const seen: (string | undefined)[][] = []
  const { server, post, url } = await setup(t, (body, { url, headers }) => {
    seen.push([url, headers['content-type'], headers.host])
    return { got: body }
  })
  assert.deepEqual(await post(), { got: { hello: 1 } })
  assert.deepEqual(await post(), { got: { hello: 1 } })
  assert.deepEqual(seen[0], ['/path?timeout=10s', 'application/json', new URL(url).host])
  assert.equal(server.connections(), 1)
})

test('a webhook behind a service is reached at an endpoint and known by the name of the service', async t => {
  const hosts: (string | undefined)[] = []
  const { server, post } = await setup(
    t,
    (_, { headers, url }) => {
      hosts.push(headers.host, url)
      return {}
    },
    ['hook.default.svc'],
  )
  const service = { namespace: 'default', name: 'hook' }
  const { caBundle } = server
  await post({ service, caBundle })
  await post({ service: { ...service, port: 9443, path: '/validate' }, caBundle })
  assert.deepEqual(hosts, ['hook.default.svc:443', '/?timeout=10s', 'hook.default.svc:9443', '/validate?timeout=10s'])
  await assert.rejects(post({ service: { ...service, namespace: 'other' }, caBundle }), {
    message:
      'Post "https://hook.other.svc:443/?timeout=10s": tls: failed to verify certificate: x509: certificate is valid for hook.default.svc, not hook.other.svc',
  })
  await assert.rejects(post({ service: { ...service, name: 'none' }, caBundle }), {
    message: 'Post "https://none.default.svc:443/?timeout=10s": service "none" not found in default',
  })
})

test('a webhook whose certificate nobody vouches for is not called', async t => {
  const { server, post, url } = await setup(t, () => ({}))
  await assert.rejects(post({ url }), {
    message: `Post "${url}?timeout=10s": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
  })
  assert.deepEqual(server.received, [])
})

test('a webhook that hangs is left when its time is over, or when the client goes', async t => {
  let arrived = () => {}
  const { clock, post, url } = await setup(t, () => arrived())
  const waiting = new Promise<void>(resolve => {
    arrived = resolve
  })
  const late = post(undefined, { timeoutMs: 90_000 })
  late.catch(() => {})
  await waiting
  await clock.advance(90_000)
  await assert.rejects(late, { message: `Post "${url}?timeout=1m30s": context deadline exceeded` })
  await assert.rejects(post(undefined, { signal: AbortSignal.abort() }), /context canceled/)
})

test('a webhook that answers with nonsense is told apart from one that answers', async t => {
  const cases: [Answerer, RegExp][] = [
    [
      (_, __, response) => void response.writeHead(500).end('no way'),
      /^an error on the server \("no way"\) has prevented the request from succeeding$/,
    ],
    [(_, __, response) => void response.writeHead(404).end(), /^the server could not find the requested resource$/],
    [
      (_, __, response) => void response.writeHead(302, { location: '/again' }).end(),
      /^the server responded with the status code 302 but did not return more information$/,
    ],
    [() => 'not json', /couldn't get version\/kind; json parse error/],
    [() => 'x'.repeat(3 * 1024 * 1024 + 1), /the answer is longer than 3145728 bytes/],
    [(_, __, response) => void response.socket?.destroy(), /EOF$/],
    [
      (_, __, response) => {
        response.writeHead(200)
        response.write('{"half":')
        setImmediate(() => response.socket?.destroy())
      },
      /EOF$/,
    ],
  ]
  for (const [answer, expected] of cases) {
    const { post } = await setup(t, answer)
    await assert.rejects(post(), { message: expected })
  }
})

test('a webhook whose kept connection has gone is called over another', async t => {
  const { server, post } = await setup(t, (_, __, response) => {
    const { socket } = response
    response.on('finish', () => setImmediate(() => socket?.destroy()))
    return {}
  })
  for (let call = 0; call < 5; call++) assert.deepEqual(await post(), {})
  assert.ok(server.connections() > 1)
})

test('an address that leads nowhere is refused with the words of upstream', async _t => {
  const caller = createWebhookCaller({ resolve: missing, clock: realClock })
  const server = await startWebhook(() => ({}))
  const { port } = server
  await server.close()
  const options = { timeoutMs: 10_000 }
  await assert.rejects(caller.endpoint({ url: `https://127.0.0.1:${port}/x` }).post({}, options), {
    message: `Post "https://127.0.0.1:${port}/x?timeout=10s": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  })
  assert.throws(() => caller.endpoint({ url: 'nonsense' }), /Unparsable URL/)
  assert.throws(() => caller.endpoint({ url: 'ftp://a/b' }), /unsupported protocol scheme "ftp"/)
  caller.close()
})
