/** A cluster in this process with a real port, and raw requests to it. */
import { Agent, request } from 'node:https'
import type { TestContext } from 'node:test'
import { type Cluster, type StartClusterOptions, startCluster } from '../../../src/cmd/testing.ts'
import { makeTrust } from '../../../src/lib/pki/trust.fixture.ts'
import type { RecordedRequest } from '../../fixtures/clients/recorded.ts'

export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Ends when this has arrived: for watches. */
  readonly until?: (body: Buffer) => boolean
}

export interface RawAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: Buffer
}

/** A recorded request as it is sent again, with this body. A watch ends with its first event. */
export const again = ({ method, url, accept, contentType }: RecordedRequest, body: Buffer): RawRequest => ({
  method,
  path: url,
  headers: { ...(accept && { accept }), ...(contentType && { 'content-type': contentType }) },
  ...(body.length > 0 && { body }),
  ...(isWatch(url) && { until: whole => whole.length > 4 && whole.length >= 4 + whole.readUInt32BE(0) }),
})

export const isWatch = (url: string) => url.includes('watch=true')

/** Starts the cluster; `send` acts as a member of system:masters. Ends with the test. */
export async function startOnPort(
  t: TestContext,
  options: StartClusterOptions = {},
): Promise<{ cluster: Cluster; send(raw: RawRequest): Promise<RawAnswer> }> {
  const cluster = await startCluster(options)
  const { authority, server, client: issueClient } = await makeTrust()
  const client = await issueClient('admin', 'system:masters')
  const tls = { key: server.key, cert: server.certificate, clientCa: authority.certificate }
  const { port } = await cluster.server.listen({ hosts: ['127.0.0.1'], port: 0, tls })
  const agent = new Agent({ keepAlive: true, ca: authority.certificate, cert: client.certificate, key: client.key })
  t.after(async () => {
    agent.destroy()
    await cluster.stop()
  })

  const send = ({ method, path, headers = {}, body, until }: RawRequest) =>
    new Promise<RawAnswer>((resolve, reject) => {
      const length = body ? { 'content-length': String(body.length) } : {}
      const out = request({ host: '127.0.0.1', port, agent, method, path, headers: { ...headers, ...length } })
      out.on('error', reject)
      out.on('response', answer => {
        let whole: Buffer = Buffer.alloc(0)
        const done = () =>
          resolve({
            status: answer.statusCode ?? 0,
            contentType: String(answer.headers['content-type'] ?? ''),
            body: whole,
          })
        answer.on('data', (part: Buffer) => {
          whole = Buffer.concat([whole, part])
          if (!until?.(whole)) return
          done()
          out.destroy()
        })
        answer.on('end', done)
      })
      out.end(body)
    })
  return { cluster, send }
}
