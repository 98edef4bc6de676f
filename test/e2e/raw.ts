/** Requests to the API as no well-behaved client sends them: any bytes, over a TLS connection of the test's own. */
import { readFileSync } from 'node:fs'
import https from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { parse } from 'yaml'

export interface RawAnswer {
  readonly status: number
  readonly text: string
}

export interface RawApi {
  readonly host: string
  readonly port: number
  /** Sends any body as the cluster's administrator. */
  send(method: string, path: string, body?: string | Buffer, headers?: Record<string, string>): Promise<RawAnswer>
  /** Opens a TLS connection as the administrator, speaking HTTP/1.1. */
  connect(): Promise<TLSSocket>
}

const decode = (text: string) => Buffer.from(text, 'base64')

/** Reads address and certificate out of a kubeconfig. */
export function rawApi(kubeconfig: string): RawApi {
  const config = parse(readFileSync(kubeconfig, 'utf8'))
  const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster
  const { 'client-certificate-data': cert, 'client-key-data': key } = config.users[0].user
  const tls = { ca: decode(ca), cert: decode(cert), key: decode(key) }
  const { hostname: host, port: portText } = new URL(server)
  const port = Number(portText)
  return {
    host,
    port,
    send: (method, path, body, headers = {}) =>
      new Promise((resolve, reject) => {
        const request = https.request({ host, port, ...tls, method, path, agent: false, headers }, response => {
          const chunks: Buffer[] = []
          response.on('data', chunk => chunks.push(chunk))
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
          )
          response.on('error', reject)
        })
        request.on('error', reject)
        request.end(body)
      }),
    connect: () =>
      new Promise((resolve, reject) => {
        const socket = connect({ host, port, ...tls, ALPNProtocols: ['http/1.1'] }, () => resolve(socket))
        socket.on('error', reject)
      }),
  }
}
