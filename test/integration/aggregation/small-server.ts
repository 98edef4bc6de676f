/** A small API server of one group, for tests of aggregation: it knows its own kind, watches, and who asks. */
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { KeyPair } from '../../../src/lib/pki/certificate.ts'

const GROUP = 'shop.example.com'
const VERSION = 'v1'

interface Fruit {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace: string; resourceVersion: string }
}

export interface SmallServer {
  readonly port: number
  /** Of the last request for a resource. */
  readonly seen: { headers: IncomingMessage['headers']; rawHeaders: string[]; url: string; proxy: string }
  /** 503 to everything from now on, or as usual. */
  fail(failing: boolean): void
  /** Answers as servers did before aggregated discovery. */
  oldDiscovery(old: boolean): void
  close(): void
}

const resource = {
  resource: 'fruits',
  responseKind: { group: GROUP, version: VERSION, kind: 'Fruit' },
  scope: 'Namespaced',
  singularResource: 'fruit',
  verbs: ['create', 'delete', 'get', 'list', 'watch'],
  shortNames: ['fr'],
}
const legacy = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${GROUP}/${VERSION}`,
  resources: [
    { name: 'fruits', singularName: 'fruit', namespaced: true, kind: 'Fruit', verbs: resource.verbs },
    { name: 'fruits/status', singularName: '', namespaced: true, kind: 'Fruit', verbs: ['get'] },
  ],
}
const openApiV2 = {
  swagger: '2.0',
  paths: { [`/apis/${GROUP}/${VERSION}/fruits`]: { get: {} }, '/version': { get: {} } },
  definitions: { 'com.example.Fruit': { type: 'object' } },
}

/** Starts one; clients must show a certificate that `clientCa` signed. */
export async function startSmallServer(own: KeyPair, clientCa: string): Promise<SmallServer> {
  const fruits = new Map<string, Fruit>()
  const changes = new EventEmitter().setMaxListeners(0)
  const seen = { headers: {}, rawHeaders: [] as string[], url: '', proxy: '' }
  let failing = false
  let old = false
  let revision = 1

  const json = (response: ServerResponse, status: number, value: object, type = 'application/json') => {
    response.writeHead(status, { 'content-type': type })
    response.end(JSON.stringify(value))
  }
  const emit = (type: string, object: Fruit) => changes.emit('event', `${JSON.stringify({ type, object })}\n`)

  function watch(request: IncomingMessage, response: ServerResponse) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    for (const object of fruits.values()) response.write(`${JSON.stringify({ type: 'ADDED', object })}\n`)
    const send = (line: string) => response.write(line)
    changes.on('event', send)
    request.on('close', () => changes.off('event', send))
  }

  async function resources(request: IncomingMessage, response: ServerResponse, url: URL) {
    const [, , , , , namespace = '', , name = ''] = url.pathname.split('/')
    Object.assign(seen, { headers: request.headers, rawHeaders: request.rawHeaders, url: request.url })
    if (request.method === 'GET' && url.searchParams.get('watch')) return watch(request, response)
    if (request.method === 'GET' && !name) {
      const list = { apiVersion: `${GROUP}/${VERSION}`, kind: 'FruitList', metadata: {}, items: [...fruits.values()] }
      return json(response, 200, list)
    }
    if (request.method === 'POST') {
      let text = ''
      for await (const chunk of request) text += chunk
      const sent = JSON.parse(text) as Fruit
      const fruit = { ...sent, metadata: { ...sent.metadata, namespace, resourceVersion: String(++revision) } }
      fruits.set(fruit.metadata.name, fruit)
      emit('ADDED', fruit)
      return json(response, 201, fruit)
    }
    const found = fruits.get(name)
    if (!found) return json(response, 404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 })
    if (request.method === 'DELETE') {
      fruits.delete(name)
      emit('DELETED', found)
    }
    json(response, 200, found)
  }

  const server = createServer(
    { key: own.key, cert: own.certificate, ca: clientCa, requestCert: true },
    (request, response) => {
      const url = new URL(request.url ?? '/', 'https://localhost')
      const peer = (request.socket as TLSSocket).getPeerCertificate()
      seen.proxy = String(peer.subject?.CN ?? '')
      if (failing) return json(response, 503, {})
      const aggregated = /as=APIGroupDiscoveryList/.test(String(request.headers.accept)) && !old
      if (url.pathname === '/apis' && aggregated) {
        if (request.headers['if-none-match'] === '"one"') return response.writeHead(304).end()
        response.setHeader('etag', '"one"')
        const versions = [{ version: VERSION, resources: [resource], freshness: 'Current' }]
        const list = { kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: GROUP }, versions }] }
        return json(response, 200, list, 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
      }
      if (url.pathname === `/apis/${GROUP}/${VERSION}`) return json(response, 200, legacy)
      if (url.pathname === '/openapi/v2') return json(response, 200, openApiV2)
      if (url.pathname === '/openapi/v3') {
        const path = `apis/${GROUP}/${VERSION}`
        return json(response, 200, { paths: { [path]: { serverRelativeURL: `/openapi/v3/${path}?hash=A` } } })
      }
      if (url.pathname.startsWith('/openapi/v3/')) return json(response, 200, { openapi: '3.0.0', paths: {} })
      if (url.pathname.includes('/fruits')) return void resources(request, response, url)
      json(response, 404, {})
    },
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    fail: next => {
      failing = next
    },
    oldDiscovery: next => {
      old = next
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
