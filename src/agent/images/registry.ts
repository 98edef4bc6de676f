/**
 * Pulls from a registry (OCI distribution specification 1.1): manifests and blobs of one repository, from its mirrors in
 * order and then from itself, with what it asks for as proof.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { readBody } from '../../lib/bounded-body.ts'
import type { Clock } from '../../lib/clock.ts'
import { type Challenge, parseChallenges, tokenUrl } from './challenge.ts'
import { INDEX_TYPES, MANIFEST_TYPES } from './manifest.ts'
import type { ImageReference } from './reference.ts'

/** Proof of who pulls: a user and password, or a token of an earlier login. */
export interface Credentials {
  readonly username?: string
  readonly password?: string
  readonly token?: string
}

/** One address of a registry. */
export interface RegistryHost {
  /** `https://mirror.example.com`, with a path before `/v2/` where there is one. */
  readonly url: string
  /** PEM of the authorities that sign its certificate; the well-known ones when absent. */
  readonly ca?: string
}

export interface RegistryDeps {
  readonly clock: Clock
  /** Mirrors of a registry in the order in which they are tried, before the registry itself. */
  mirrors(registry: string): readonly RegistryHost[]
  /** Of the registry itself. */
  ca(registry: string): string | undefined
}

export interface Repository {
  /** The manifest or index that a tag or digest names. */
  manifest(reference: string): Promise<Buffer>
  /** A blob as it comes; ends with an error when nothing comes for a minute. */
  blob(digest: string): Promise<AsyncIterable<Uint8Array>>
}

/** A registry's answer that is no success. */
export class RegistryError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const STALL_MS = 60_000
/** As containerd's limit. */
const MANIFEST_LIMIT = 8 * 1024 * 1024
const REDIRECTS = 5

const isLoopback = (host: string) => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host)

/** The registry itself. One on this machine is spoken to without TLS, as every container runtime does. */
function ownHost(registry: string, ca: string | undefined): RegistryHost {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry
  return { url: `${isLoopback(host) && !ca ? 'http' : 'https'}://${host}`, ...(ca ? { ca } : {}) }
}

/** Opens a repository. `credentials` are tried in order until one is taken; without any it is asked for anonymously. */
export function openRepository(
  deps: RegistryDeps,
  reference: ImageReference,
  credentials: readonly Credentials[],
  signal: AbortSignal,
): Repository {
  const { registry, repository } = reference
  const hosts = [...deps.mirrors(registry), ownHost(registry, deps.ca(registry))]
  const scope = `repository:${repository}:pull`
  /** What was accepted by a host, as a header. */
  const proofs = new Map<string, string>()

  async function get(url: URL, headers: Record<string, string>, ca: string | undefined): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = { headers: { 'user-agent': 'tutti', ...headers }, signal, ...(ca ? { ca } : {}) }
      const sent = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options)
      const stalled = deps.clock.after(STALL_MS, () =>
        sent.destroy(new Error(`no answer from ${url.host} for ${STALL_MS / 1000} s`)),
      )
      sent.once('response', message => {
        stalled.cancel()
        resolve(message)
      })
      sent.once('error', error => {
        stalled.cancel()
        reject(error)
      })
      sent.end()
    })
  }

  async function token(
    challenge: Challenge,
    given: Credentials | undefined,
    ca: string | undefined,
  ): Promise<string | undefined> {
    const url = tokenUrl(challenge, scope)
    if (!url) return undefined
    const message = await get(url, given?.username ? { authorization: basic(given) } : {}, ca)
    if (message.statusCode !== 200) return void message.resume()
    const body = JSON.parse((await read(message, deps.clock)).toString()) as { token?: string; access_token?: string }
    return body.token ?? body.access_token
  }

  /** One proof after the other, and none where there is none. */
  async function* answers(message: IncomingMessage, ca: string | undefined): AsyncGenerator<string> {
    const challenges = parseChallenges(message.headers['www-authenticate'] ?? '')
    const tried = credentials.length > 0 ? [...credentials, undefined] : [undefined]
    for (const given of tried) {
      for (const challenge of challenges) {
        if (given?.token) yield `Bearer ${given.token}`
        else if (challenge.scheme === 'bearer') {
          const found = await token(challenge, given, ca)
          if (found) yield `Bearer ${found}`
        } else if (challenge.scheme === 'basic' && given?.username) yield basic(given)
      }
    }
  }

  /** Follows a blob to where the registry keeps it: proof is shown to the registry alone. */
  async function follow(first: IncomingMessage, from: URL, host: RegistryHost): Promise<IncomingMessage> {
    let message = first
    let at = from
    for (let turn = 0; [301, 302, 303, 307, 308].includes(message.statusCode ?? 0); turn++) {
      message.resume()
      const { location } = message.headers
      if (!location || turn >= REDIRECTS) throw new Error(`${from.host} sends us round in circles`)
      at = new URL(location, at)
      message = await get(at, {}, at.host === from.host ? host.ca : undefined)
    }
    return message
  }

  async function fetch(host: RegistryHost, path: string, headers: Record<string, string>): Promise<IncomingMessage> {
    const url = new URL(`${host.url.replace(/\/$/, '')}/v2/${repository}/${path}`)
    if (registry !== new URL(host.url).host && host !== hosts.at(-1)) url.searchParams.set('ns', registry)
    const proof = proofs.get(host.url)
    let message = await get(url, { ...headers, ...(proof ? { authorization: proof } : {}) }, host.ca)
    if (message.statusCode === 401) {
      message.resume()
      for await (const authorization of answers(message, host.ca)) {
        const next = await get(url, { ...headers, authorization }, host.ca)
        if (next.statusCode !== 401 && next.statusCode !== 403) proofs.set(host.url, authorization)
        message = next
        if (next.statusCode !== 401 && next.statusCode !== 403) break
        next.resume()
      }
    }
    message = await follow(message, url, host)
    if (message.statusCode === 200) return message
    const text = (await read(message, deps.clock).catch(() => Buffer.alloc(0))).toString()
    throw new RegistryError(
      message.statusCode ?? 0,
      said(message.statusCode ?? 0, text, `${repository}/${path}`, url.host),
    )
  }

  /** From the first host that has it; the last one's failure is the failure. */
  async function first(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    for (const host of hosts.slice(0, -1)) {
      try {
        return await fetch(host, path, headers)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof TypeError) throw error
      }
    }
    return fetch(hosts.at(-1)!, path, headers)
  }

  return {
    async manifest(name) {
      const message = await first(`manifests/${name}`, { accept: [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ') })
      return read(message, deps.clock)
    },
    async blob(digest) {
      return flow(await first(`blobs/${digest}`), deps.clock)
    },
  }
}

const basic = ({ username, password }: Credentials) =>
  `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`

/** The registry's reason in the words of container runtimes, which users look for. */
function said(status: number, text: string, what: string, host: string): string {
  if (status === 404) return `${host}/${what}: not found`
  const denied = 'pull access denied, repository does not exist or may require authorization'
  let detail = ''
  try {
    const { errors = [] } = JSON.parse(text) as { errors?: { code?: string; message?: string }[] }
    detail = errors.map(each => each.message || each.code).join(', ')
  } catch {
    // Not every registry says more than its status.
  }
  if (status === 401 || status === 403) return `${denied}: ${detail || 'authorization failed'}`
  return `unexpected status from GET request to ${host}/${what}: ${status}${detail ? ` ${detail}` : ''}`
}

/** A body chunk by chunk, with an end to waiting. */
async function* flow(message: IncomingMessage, clock: Clock): AsyncGenerator<Uint8Array> {
  const stall = () => clock.after(STALL_MS, () => message.destroy(new Error(`nothing came for ${STALL_MS / 1000} s`)))
  let timer = stall()
  try {
    for await (const chunk of message) {
      timer.cancel()
      yield chunk as Uint8Array
      timer = stall()
    }
  } finally {
    timer.cancel()
    message.destroy()
  }
}

/** A small body as a whole. */
const read = (message: IncomingMessage, clock: Clock): Promise<Buffer> => readBody(flow(message, clock), MANIFEST_LIMIT)
