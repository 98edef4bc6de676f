import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { CommandStreams } from '../../../src/client/node-api.ts'
import { createPipe } from '../../../src/client/streams/pipe.ts'
import type { Loose } from '../api/start.ts'
import { isReady, type Node, startNode } from './node.ts'

/** Streams that collect what comes, and bring `input`. */
function collecting(input?: string) {
  const out: Buffer[] = []
  const err: Buffer[] = []
  const stop = new AbortController()
  const stdin = createPipe<Buffer>(1024)
  if (input !== undefined) {
    void stdin.push(Buffer.from(input))
    stdin.end()
  }
  const streams: CommandStreams = {
    ...(input !== undefined && { stdin }),
    stdout: async chunk => void out.push(Buffer.from(chunk)),
    stderr: async chunk => void err.push(Buffer.from(chunk)),
    signal: stop.signal,
  }
  return { streams, stop, out: () => Buffer.concat(out).toString(), err: () => Buffer.concat(err).toString() }
}

describe('a node over its own HTTPS', () => {
  let node: Node
  let ref: { namespace: string; name: string; uid: string }
  const script = 'echo first; trap "exit 0" TERM; while true; do sleep 0.1; done'
  before(async () => {
    node = await startNode({ namespaces: false, remote: true })
    await node.createAccount()
    await node.create('one', { containers: [{ name: 'main', image: 'host', command: ['sh', '-c', script] }] })
    const pod = await node.until('one', isReady)
    ref = { namespace: 'default', name: 'one', uid: pod.metadata!.uid! }
  })
  after(() => node.close())

  const run = async (command: string[], input?: string) => {
    const { streams, out, err } = collecting(input)
    const { exitCode } = await node.reached().exec(ref, { container: 'main', command, tty: false }, streams)
    return { exitCode, out: out(), err: err() }
  }
  /** A request to the node by nobody, or with a token or a certificate. */
  async function ask(path: string, options: { token?: string; cert?: string; key?: string; method?: string } = {}) {
    const { token, ...rest } = options
    const headers = token ? { authorization: `Bearer ${token}` } : {}
    const message = request({
      host: '127.0.0.1',
      port: node.nodePort(),
      path,
      headers,
      ca: node.trust!.authority,
      agent: false,
      ...rest,
    })
    message.end()
    const [response] = await once(message, 'response')
    let body = ''
    for await (const chunk of response) body += chunk
    return { code: response.statusCode as number, body }
  }

  test('exec brings input, both outputs and the exit code', async () => {
    assert.deepEqual(await run(['sh', '-c', 'echo out; echo err >&2; exit 7']), {
      exitCode: 7,
      out: 'out\n',
      err: 'err\n',
    })
    assert.deepEqual(await run(['cat'], 'typed'), { exitCode: 0, out: 'typed', err: '' })
    const { out } = await run(['sh', '-c', 'yes | head -c 3000000'])
    assert.equal(out.length, 3_000_000)
  })

  test('exec says what the node says: no such container, another pod of that name', async () => {
    const { streams } = collecting()
    const command = ['true']
    const exec = (pod: typeof ref, container: string) =>
      node.reached().exec(pod, { container, command, tty: false }, streams)
    await assert.rejects(exec(ref, 'other'), /container other is not valid for pod one/)
    await assert.rejects(exec({ ...ref, uid: 'another' }, 'main'), /pods "one" not found/)
  })

  test('exec ends when its client goes away', async () => {
    const { streams, stop, out } = collecting()
    const ended = node
      .reached()
      .exec(ref, { container: 'main', command: ['sh', '-c', 'echo up; sleep 60'], tty: false }, streams)
    while (out() === '') await new Promise(resolve => setTimeout(resolve, 5))
    stop.abort()
    await assert.rejects(ended, /broke before the command had ended/)
  })

  test('logs come as they are written, and fail with the words of the node', async () => {
    const stop = new AbortController()
    const lines: string[] = []
    for await (const chunk of await node.reached().logs(ref, { container: 'main', follow: true }, stop.signal)) {
      lines.push(String(chunk))
      break
    }
    stop.abort()
    assert.equal(lines.join(''), 'first\n')
    const previous = node.reached().logs(ref, { container: 'main', previous: true }, new AbortController().signal)
    await assert.rejects(previous, /previous terminated container "main" in pod "one" not found/)
  })

  test('metrics.k8s.io has what the node says over its HTTPS', async () => {
    const root = '/apis/metrics.k8s.io/v1beta1'
    const read = async (path: string) =>
      (await node.admin.transport({ method: 'GET', path: `${root}${path}` })).object as Loose
    const { usage, window } = await read('/nodes/n1')
    assert.match(usage.cpu, /^[1-9]\d*[num]?$/)
    assert.match(usage.memory, /^[1-9]\d*[KM]i$/)
    assert.match(window, /^\d+(\.\d+)?s$/)
    const [pod] = (await read('/namespaces/default/pods')).items
    assert.deepEqual([pod.metadata.name, pod.containers[0].name], ['one', 'main'])
  })

  test('connect opens a port of the pod, and tells why it cannot', async () => {
    const server = createServer({ allowHalfOpen: true }, socket => socket.pipe(socket)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const connection = await node.reached().connect(ref, port, 'inside')
    connection.end('there and back')
    let text = ''
    for await (const chunk of connection) text += chunk
    assert.equal(text, 'there and back')
    server.close()
    await once(server, 'close')
    const refused = await node.reached().connect(ref, port, 'inside')
    await assert.rejects(async () => {
      for await (const _ of refused);
    }, /connection refused/)
    await assert.rejects(node.reached().connect(ref, port, 'address'), /address not allowed/)
  })

  test('nobody is anonymous, and certificates of others count for nothing', async () => {
    for (const path of ['/healthz', '/pods', '/metrics', '/nothing'])
      assert.deepEqual(await ask(path), { code: 401, body: 'Unauthorized\n' })
    const { certificate, key } = node.trust!.serving
    assert.equal((await ask('/healthz', { cert: certificate, key })).code, 401)
    assert.equal((await ask('/healthz', { token: 'nonsense' })).code, 401)
  })

  test('tokens may what their roles say of the subresources of the node', async () => {
    const server = node.server.transport({ name: 'admin', groups: ['system:masters', 'system:authenticated'] })
    const post = async (path: string, body: object) => {
      const answer = await server({ method: 'POST', path, body })
      assert.ok(answer.status < 300, JSON.stringify(answer.object))
      return answer.object as { status: { token: string } }
    }
    await post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'scraper' } })
    const rbac = '/apis/rbac.authorization.k8s.io/v1'
    await post(`${rbac}/clusterroles`, {
      metadata: { name: 'scraper' },
      rules: [{ apiGroups: [''], resources: ['nodes/metrics', 'nodes/pods'], verbs: ['get'] }],
    })
    await post(`${rbac}/clusterrolebindings`, {
      metadata: { name: 'scraper' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'scraper' },
      subjects: [{ kind: 'ServiceAccount', name: 'scraper', namespace: 'default' }],
    })
    const { status } = await post('/api/v1/namespaces/default/serviceaccounts/scraper/token', { spec: {} })
    const { token } = status
    assert.equal((await ask('/metrics', { token })).code, 200)
    assert.equal(JSON.parse((await ask('/pods', { token })).body).items.length, 1)
    const user = 'system:serviceaccount:default:scraper'
    assert.deepEqual(await ask('/configz', { token }), {
      code: 403,
      body: `Forbidden (user=${user}, verb=get, resource=nodes, subresource(s)=[configz proxy])\n`,
    })
    assert.equal((await ask('/stats/summary', { token })).code, 403)
    assert.equal((await ask('/exec/default/one/main?command=id&output=1', { token, method: 'POST' })).code, 403)
  })

  test('serve takes the body of a request to the node', async () => {
    async function* archive() {
      for (let part = 0; part < 8; part++) yield Buffer.alloc(65_536, 'no archive')
    }
    const answer = await node.reached().serve!({
      method: 'POST',
      path: '/images/import',
      query: new URLSearchParams({ handler: 'unknown' }),
      signal: new AbortController().signal,
      body: archive(),
    })
    let body = ''
    for await (const chunk of answer.body) body += Buffer.from(chunk)
    assert.deepEqual([answer.status, body], [400, 'no runtime of this node keeps images for unknown\n'])
  })

  test('serve hands on whatever the node answers', async () => {
    const answer = await node.reached().serve!({
      method: 'GET',
      path: '/healthz',
      query: new URLSearchParams(),
      signal: new AbortController().signal,
    })
    let body = ''
    for await (const chunk of answer.body) body += Buffer.from(chunk)
    assert.deepEqual([answer.status, body], [200, 'ok'])
  })
})
