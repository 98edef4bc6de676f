/** HTTP/2 access to a cluster for load programs: nothing but requests, so that the client costs as little as it can. */
import { readFileSync } from 'node:fs'
import http2 from 'node:http2'
import { parse } from 'yaml'

export interface Answer {
  readonly status: number
  readonly bytes: number
  text(): string
}

export interface BenchCluster {
  readonly name: string
  /**
   * Sends a request; rejects for statuses of 300 and more. A body that is no Buffer goes as JSON; `keep` collects that of
   * the answer.
   */
  call(
    method: string,
    path: string,
    body?: unknown,
    options?: { readonly keep?: boolean; readonly contentType?: string; readonly accept?: string },
  ): Promise<Answer>
  /** Opens a watch on a connection of its own; `onData` gets its bytes. Returns its end. */
  watch(path: string, onData: (chunk: Buffer) => void): () => void
  close(): void
}

const decode = (text: string | undefined) => (text ? Buffer.from(text, 'base64') : undefined)

/** Opens `sessions` connections to the current context of a kubeconfig. The server's certificate is not checked. */
export function connectBench(name: string, kubeconfig: string, sessions = 2): BenchCluster {
  const config = parse(readFileSync(kubeconfig, 'utf8'))
  const server: string = config.clusters[0].cluster.server
  const user = config.users[0].user
  const cert = decode(user['client-certificate-data'])
  const key = decode(user['client-key-data'])
  const tls = { rejectUnauthorized: false, ...(cert && key ? { cert, key } : {}) }
  const auth = user.token ? { authorization: `Bearer ${user.token}` } : {}
  const connect = () => {
    const session = http2.connect(server, { ...tls, settings: { initialWindowSize: 1 << 24 } })
    session.on('error', () => {})
    session.once('connect', () => session.setLocalWindowSize(1 << 26))
    return session
  }
  const pool = Array.from({ length: sessions }, connect)
  let turn = 0

  return {
    name,
    call(method, path, body, { keep = false, contentType = 'application/json', accept = 'application/json' } = {}) {
      return new Promise((resolve, reject) => {
        const request = pool[turn++ % sessions]!.request({
          ':method': method,
          ':path': path,
          accept,
          ...(body === undefined ? {} : { 'content-type': contentType }),
          ...auth,
        })
        let status = 0
        let bytes = 0
        const chunks: Buffer[] = []
        request.on('response', headers => {
          status = Number(headers[':status'])
        })
        request.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (keep || status >= 300) chunks.push(chunk)
        })
        request.on('end', () => {
          const text = () => Buffer.concat(chunks).toString()
          // A stream that ends without an answer (status 0) belongs to a connection that broke.
          if (status >= 200 && status < 300) resolve({ status, bytes, text })
          else reject(new Error(`${method} ${path} answered ${status}: ${text().slice(0, 300)}`))
        })
        request.on('error', reject)
        request.end(body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body))
      })
    },
    watch(path, onData) {
      const session = connect()
      const request = session.request({ ':path': path, accept: 'application/json', ...auth })
      request.on('data', onData).on('error', () => {})
      return () => session.destroy()
    },
    close() {
      for (const session of pool) session.destroy()
    },
  }
}
