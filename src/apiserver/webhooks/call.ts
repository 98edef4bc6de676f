/**
 * Calls to webhooks (admission, conversion, authentication, authorization): one POST of a JSON document, one JSON
 * document back. The server on the other side may hang, lie, redirect in circles or send without end: every call ends
 * within its time and its size. Connections are kept; an idle one costs no timer.
 */

import type { RequestOptions } from 'node:http'
import { Agent, request as startHttps } from 'node:https'
import { formatDuration } from '../../api/machinery/time.ts'
import { readBody } from '../../lib/bounded-body.ts'
import type { Clock } from '../../lib/clock.ts'
import { hostPort } from '../../lib/host-port.ts'
import { http } from '../../lib/http.ts'
import { networkErrorText } from '../proxy/network-error.ts'
import type { ServiceResolver } from '../services/endpoint.ts'

/** Where a webhook is (the API's WebhookClientConfig, and what a kubeconfig adds to it). */
export interface WebhookAddress {
  readonly url?: string
  readonly service?: {
    readonly namespace: string
    readonly name: string
    readonly path?: string
    /** Default 443. */
    readonly port?: number
  }
  /** Base64 of PEM, as in the API. Default: the authorities that come with Node. */
  readonly caBundle?: string
  /** PEM of a client certificate and its key. */
  readonly identity?: { readonly certificate: string; readonly key: string }
  /** Name that the server's certificate must be for. Default: that of the service, or of the URL. */
  readonly serverName?: string
  /** Further headers, e.g. Authorization. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface WebhookCallOptions {
  /** From now to the last byte of the answer. */
  readonly timeoutMs: number
  /** The caller has gone. */
  readonly signal?: AbortSignal
  /** Longest answer that is read. Default 3 MiB, as the API server's own requests. */
  readonly maxBytes?: number
}

/** One webhook, ready to be called. */
export interface WebhookEndpoint {
  /** Sends a document and gives the answer's. Throws `WebhookCallError`. */
  post(body: unknown, options: WebhookCallOptions): Promise<unknown>
}

export interface WebhookCaller {
  /** Compiles an address: do so once per revision of what names it. Throws a `WebhookCallError` for a bad one. */
  endpoint(address: WebhookAddress): WebhookEndpoint
  /** Cuts idle connections. */
  close(): void
}

/** A webhook that could not be called, or that did not answer with a JSON document. The message is as upstream's. */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError'
  /** HTTP status of the answer; undefined without one. */
  readonly status: number | undefined
  constructor(message: string, options?: ErrorOptions & { status?: number }) {
    super(message, options)
    this.status = options?.status
  }
}

const MAX_BYTES = 3 * 1024 * 1024
/** Sent on a connection that the server had just closed: said again, once, on another. */
const MAX_ATTEMPTS = 2
const MAX_SHOWN = 2048

interface Exchange {
  readonly status: number
  readonly type: string
  readonly bytes: Buffer
}

function exchange(options: RequestOptions, secure: boolean, body: Buffer, maxBytes: number): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? startHttps : http.request)(options, message => {
      readBody(message, maxBytes, why => new WebhookCallError(why)).then(
        bytes =>
          resolve({ status: message.statusCode ?? 0, type: String(message.headers['content-type'] ?? ''), bytes }),
        reject,
      )
    })
    outgoing.once('error', error => {
      const stale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
      reject(stale ? new StaleConnection() : error)
    })
    outgoing.end(body)
  })
}

class StaleConnection extends Error {}

/** What upstream's client says about an answer that is none, by its status. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
}

function refusal({ status, bytes }: Exchange): WebhookCallError {
  const text = bytes.subarray(0, MAX_SHOWN).toString().trim()
  const known = status === 403 ? text : REFUSALS[status]
  if (known) return new WebhookCallError(known, { status })
  const message =
    status >= 500
      ? `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding`
      : `the server responded with the status code ${status} but did not return more information`
  return new WebhookCallError(message, { status })
}

function parse(answer: Exchange): unknown {
  if (answer.status < 200 || answer.status > 299) throw refusal(answer)
  const text = answer.bytes.toString()
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new WebhookCallError(
      `couldn't get version/kind; json parse error: ${(error as Error).message} (content type ${JSON.stringify(answer.type)})`,
      { cause: error, status: answer.status },
    )
  }
}

interface Target {
  readonly secure: boolean
  /** What the URL says, for the Host header and errors. */
  readonly host: string
  readonly path: string
  readonly serverName: string
  /** Where to connect to, decided call by call. */
  locate(): { host: string; port: number }
}

function urlTarget({ url = '', serverName }: WebhookAddress): Target {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch (error) {
    throw new WebhookCallError(`Unparsable URL: parse ${JSON.stringify(url)}: invalid URL`, { cause: error })
  }
  const secure = parsed.protocol === 'https:'
  if (!secure && parsed.protocol !== 'http:')
    throw new WebhookCallError(`unsupported protocol scheme ${JSON.stringify(parsed.protocol.slice(0, -1))}`)
  const host = parsed.hostname.replace(/^\[|\]$/g, '')
  const port = Number(parsed.port) || (secure ? 443 : 80)
  return {
    secure,
    host: parsed.host,
    path: parsed.pathname + parsed.search,
    serverName: serverName ?? host,
    locate: () => ({ host, port }),
  }
}

function serviceTarget({ service, serverName }: WebhookAddress, resolve: ServiceResolver): Target {
  const { namespace, name, path = '', port = 443 } = service!
  const host = `${name}.${namespace}.svc`
  return {
    secure: true,
    host: hostPort(host, port),
    path: path.startsWith('/') ? path : `/${path}`,
    serverName: serverName ?? host,
    locate() {
      const { host, port: endpointPort } = resolve(namespace, name, port)
      return { host, port: endpointPort }
    },
  }
}

export interface WebhookCallerDeps {
  /** Finds what answers for a service. */
  readonly resolve: ServiceResolver
  readonly clock: Clock
}

/** Makes a caller; one is enough for a server. */
export function createWebhookCaller({ resolve, clock }: WebhookCallerDeps): WebhookCaller {
  // HTTP/1.1, as upstream: one connection of HTTP/2 would send every call to the endpoint that was chosen first.
  const secureAgent = new Agent({ keepAlive: true, maxFreeSockets: 64, ALPNProtocols: ['http/1.1'] })
  const plainAgent = new http.Agent({ keepAlive: true, maxFreeSockets: 64 })

  /** One call within its time. `send` gets the signal that ends it. */
  function within<T>({ timeoutMs, signal }: WebhookCallOptions, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ended = new AbortController()
    const end = (why: string) => () => ended.abort(new WebhookCallError(why))
    const timer = clock.after(timeoutMs, end('context deadline exceeded'))
    const gone = end('context canceled')
    if (signal?.aborted) gone()
    signal?.addEventListener('abort', gone, { once: true })
    return send(ended.signal)
      .catch(error => {
        throw ended.signal.aborted ? ended.signal.reason : error
      })
      .finally(() => {
        timer.cancel()
        signal?.removeEventListener('abort', gone)
      })
  }

  return {
    endpoint(address) {
      const target = address.service ? serviceTarget(address, resolve) : urlTarget(address)
      const { secure, host, path, serverName } = target
      const tls = {
        agent: secure ? secureAgent : plainAgent,
        ...(secure && {
          servername: /^[\d.]+$|:/.test(serverName) ? '' : serverName,
          // An authority that is not a root, or the server's own certificate, is enough, as for Go.
          allowPartialTrustChain: true,
          ...(address.caBundle && { ca: Buffer.from(address.caBundle, 'base64').toString() }),
          ...(address.identity && { cert: address.identity.certificate, key: address.identity.key }),
        }),
      }
      const shown = (timeoutMs: number) => {
        const query = `${path.includes('?') ? '&' : '?'}timeout=${formatDuration(Math.ceil(timeoutMs / 1000) * 1000)}`
        return { path: path + query, url: `${secure ? 'https' : 'http'}://${host}${path}${query}` }
      }

      async function attempt(options: RequestOptions, body: Buffer, maxBytes: number): Promise<Exchange> {
        for (let tries = 1; ; tries++) {
          try {
            return await exchange({ ...options, ...target.locate() }, secure, body, maxBytes)
          } catch (error) {
            if (!(error instanceof StaleConnection) || tries === MAX_ATTEMPTS) throw error
          }
        }
      }

      return {
        async post(value, options) {
          const body = Buffer.from(JSON.stringify(value))
          const { path: full, url } = shown(options.timeoutMs)
          const headers = {
            ...address.headers,
            host,
            accept: 'application/json, */*',
            'content-type': 'application/json',
            'content-length': String(body.length),
          }
          let answer: Exchange
          try {
            answer = await within(options, signal =>
              attempt({ ...tls, method: 'POST', path: full, headers, signal }, body, options.maxBytes ?? MAX_BYTES),
            )
          } catch (error) {
            const why = error instanceof WebhookCallError ? error.message : networkErrorText(error as Error)
            throw new WebhookCallError(`Post ${JSON.stringify(url)}: ${why}`, { cause: error })
          }
          return parse(answer)
        },
      }
    },
    close() {
      secureAgent.destroy()
      plainAgent.destroy()
    },
  }
}
