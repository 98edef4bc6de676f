/**
 * Stands between a client and an API server and keeps what the client sends, for the golden fixtures of
 * test/fixtures/clients: `node scripts/record-requests.ts KUBECONFIG OUT.jsonl.gz` writes OUT.jsonl.gz.kubeconfig for
 * the client and runs until it is interrupted. Requests that differ only in names, versions and values are kept once.
 *
 * With `--before` each request can be sent again by itself: it is kept with the object as it stood before, and what
 * cannot be is left out (custom kinds, watches that begin at a version).
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { Agent, type RequestOptions, request as send } from 'node:https'
import { connect } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { parse, stringify } from 'yaml'
import { parseProtobuf } from '../src/api/machinery/protobuf.ts'
import { placeOf, type RecordedRequest } from '../test/fixtures/clients/recorded.ts'

const withBefore = process.argv.includes('--before')
const [kubeconfig, out] = process.argv.slice(2).filter(each => !each.startsWith('--'))
if (!kubeconfig || !out) {
  console.error('usage: node scripts/record-requests.ts KUBECONFIG OUT.jsonl.gz [--before]')
  process.exit(2)
}
const config = parse(readFileSync(kubeconfig, 'utf8'))
const { cluster } = config.clusters[0]
const { user } = config.users[0]
const pem = (data: string | undefined) => data && Buffer.from(data, 'base64')
const target = new URL(cluster.server)
const [cert, key, token] = [pem(user['client-certificate-data']), pem(user['client-key-data']), user.token]
const upstream: RequestOptions = {
  host: target.hostname,
  port: target.port,
  rejectUnauthorized: false,
  ...(cert && { cert }),
  ...(key && { key }),
  agent: new Agent({ keepAlive: true, maxSockets: 256 }),
}
/** The server's own certificate does for the stand-in: its clients are told not to look. */
const own = { cert: cert!, key: key! }
if (cert) new X509Certificate(cert)

/** Paths of the fields that a body has, without indexes: what makes two bodies alike. */
function shape(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap(each => shape(each, `${path}[]`)))]
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, inner]) => shape(inner, `${path}.${name}`))
}

function readBody(body: Buffer, contentType: string): unknown {
  try {
    if (contentType.includes('protobuf')) return parseProtobuf(body)
    return contentType.includes('yaml') ? parse(body.toString()) : JSON.parse(body.toString())
  } catch {
    return body.length
  }
}

const seen = new Map<string, RecordedRequest>()

/** Whether a path is there without a CustomResourceDefinition. */
function isBuiltIn(path: string): boolean {
  const [, root, group = ''] = path.split('/')
  return root === 'api' || (root === 'apis' && (!group.includes('.') || group.endsWith('.k8s.io')))
}

/** What makes a request worth keeping; undefined for one that is not, or is kept already. */
function identify(method: string, url: string, headers: NodeJS.Dict<string | string[]>, body: Buffer) {
  const contentType = String(headers['content-type'] ?? '')
  const accept = String(headers.accept ?? '')
  const { pathname, searchParams } = new URL(url, target)
  if (body.length === 0 && !/protobuf/.test(accept)) return undefined
  const watchFrom = searchParams.get('watch') === 'true' && !searchParams.has('sendInitialEvents')
  if (withBefore && (!isBuiltIn(pathname) || watchFrom || searchParams.has('continue'))) return undefined
  const fields = body.length ? shape(readBody(body, contentType)).sort().join() : ''
  const identity = [method, placeOf(pathname).form, contentType, [...searchParams.keys()].sort(), accept, fields].join()
  return seen.has(identity) ? undefined : identity
}

/** The object that a request is about, as it stands; undefined where there is none. */
function before(method: string, url: string): Promise<string | undefined> {
  const { pathname } = new URL(url, target)
  const { object } = placeOf(pathname)
  if (!withBefore || !object || (method === 'POST' && object === pathname)) return Promise.resolve(undefined)
  return new Promise(resolve => {
    const get = send({ ...upstream, path: object, headers: plain({ accept: 'application/json' }) }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', part => (text += part))
      answer.on('end', () => resolve(answer.statusCode === 200 ? text : undefined))
    })
    get.on('error', () => resolve(undefined)).end()
  })
}

/** Headers as HTTP/1.1 takes them. */
function plain(headers: NodeJS.Dict<string | string[]>): NodeJS.Dict<string | string[]> {
  const forwarded = Object.entries(headers).filter(([name]) => !name.startsWith(':') && name !== 'connection')
  return { ...Object.fromEntries(forwarded), ...(token && { authorization: `Bearer ${token}` }) }
}

async function forward(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  const body = Buffer.concat(parts)
  const [method, url] = [request.method ?? 'GET', request.url ?? '/']
  const identity = identify(method, url, request.headers, body)
  const standing = identity && (await before(method, url))
  const onward = send({ ...upstream, method, path: url, headers: plain(request.headers) }, answer => {
    const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...headers } = answer.headers
    if (identity && !seen.has(identity)) {
      const { accept, 'content-type': contentType, 'user-agent': agent } = request.headers
      seen.set(identity, {
        client: String(agent ?? '').split(/[ /]/)[0] ?? '',
        method,
        url,
        status: answer.statusCode ?? 0,
        ...(accept && { accept: String(accept) }),
        ...(contentType && { contentType: String(contentType) }),
        ...(body.length && { body: body.toString('base64') }),
        ...(standing && { before: standing }),
      })
    }
    const writable = response as ServerResponse
    writable.writeHead(answer.statusCode ?? 502, headers)
    writable.flushHeaders?.()
    answer.pipe(writable)
  })
  response.on('close', () => onward.destroy())
  onward.on('error', () => (response as ServerResponse).destroy())
  onward.end(body)
}

const server = createSecureServer({ ...own, allowHTTP1: true }, (request, response) => void forward(request, response))
/** Upgrades pass as they are: what goes over them is not recorded. */
server.on('upgrade', (request: IncomingMessage, socket, head: Buffer) => {
  const onward = connect({ ...(upstream as object), host: target.hostname, port: Number(target.port) }, () => {
    const headers = Object.entries(plain(request.headers)).map(([name, value]) => `${name}: ${value}`)
    const lines = [`${request.method} ${request.url} HTTP/1.1`, 'connection: Upgrade', ...headers]
    onward.write(`${lines.join('\r\n')}\r\n\r\n`)
    onward.write(head)
    onward.pipe(socket).pipe(onward)
  })
  onward.on('error', () => socket.destroy())
  socket.on('error', () => onward.destroy())
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number }
  const through = structuredClone(config)
  through.clusters[0].cluster = { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }
  writeFileSync(`${out}.kubeconfig`, stringify(through))
  console.log(`${out}.kubeconfig`)
})

function finish() {
  const lines = [...seen.values()].map(each => JSON.stringify(each)).join('\n')
  writeFileSync(out!, gzipSync(`${lines}\n`, { level: 9 }))
  console.log(`${seen.size} requests in ${out}`)
  process.exit(0)
}
process.on('SIGINT', finish)
process.on('SIGTERM', finish)
