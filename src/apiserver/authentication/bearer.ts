/** Tokens of requests: in the Authorization header, or among the subprotocols of a browser's WebSocket. */

import { dropHeaders } from '../http/headers.ts'
import type { Authenticator, Credentials, TokenAuthenticator, TokenOwner } from './authenticator.ts'

const INVALID = 'invalid bearer token'
const PROTOCOL_HEADER = 'sec-websocket-protocol'
const PROTOCOL_PREFIX = 'base64url.bearer.authorization.k8s.io.'

/** Asks each until one knows the token. One that finds fault is believed only when no other knows it. */
export function anyOf(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return async (token, audiences) => {
    const faults: string[] = []
    for (const authenticate of authenticators)
      try {
        const owner = await authenticate(token, audiences)
        if (owner) return owner
      } catch (error) {
        faults.push((error as Error).message)
      }
    if (!faults.length) return undefined
    throw new Error(`[${[INVALID, ...faults].join(', ')}]`)
  }
}

/** For tokens that name no audiences: they are for `own`, the server's, and for nobody else. */
export const forAudiences =
  (own: readonly string[], authenticate: TokenAuthenticator): TokenAuthenticator =>
  async (token, audiences) => {
    const common = audiences.filter(audience => own.includes(audience))
    if (!common.length) return undefined
    const owner = await authenticate(token, common)
    return owner && { user: owner.user, audiences: common }
  }

/** The token of an Authorization header: the second word, where the first is `Bearer`. */
export function tokenOf(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined
  const [scheme = '', token] = header.trim().split(' ')
  return scheme.toLowerCase() === 'bearer' && token ? token : undefined
}

const known = async (found: ReturnType<TokenAuthenticator>): Promise<TokenOwner> => {
  const owner = await found
  if (!owner) throw new Error(INVALID)
  return owner
}

/** Users of `Authorization: Bearer` headers, for `audiences`. The header is taken off a request that is known. */
export function bearerTokens(authenticate: TokenAuthenticator, audiences: readonly string[]): Authenticator {
  return credentials => {
    const token = tokenOf(credentials.headers.authorization)
    if (token === undefined) return undefined
    return known(authenticate(token, audiences)).then(({ user }) => {
      dropHeaders(credentials, name => name === 'authorization')
      return user
    })
  }
}

function decodedToken(text: string): string {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) throw new Error('invalid base64.bearer.authorization token encoding')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error('invalid base64.bearer.authorization token')
  }
}

/** The token among a WebSocket's subprotocols, and the others; undefined where there is none. Throws for a bad one. */
function protocolToken({ headers }: Credentials): { token: string; others: string[] } | undefined {
  if (String(headers.upgrade ?? '').toLowerCase() !== 'websocket') return undefined
  const all = String(headers[PROTOCOL_HEADER] ?? '')
    .split(',')
    .map(each => each.trim())
  const [encoded, another] = all.filter(each => each.startsWith(PROTOCOL_PREFIX))
  if (encoded === undefined) return undefined
  if (another !== undefined) throw new Error('multiple base64.bearer.authorization tokens specified')
  const token = decodedToken(encoded.slice(PROTOCOL_PREFIX.length))
  const others = all.filter(each => each !== encoded && each !== '')
  if (token && !others.length) throw new Error('missing additional subprotocol')
  return token ? { token, others } : undefined
}

/** Users of WebSockets opened in browsers, which cannot send an Authorization header. */
export function webSocketTokens(authenticate: TokenAuthenticator, audiences: readonly string[]): Authenticator {
  return credentials => {
    const found = protocolToken(credentials)
    if (!found) return undefined
    return known(authenticate(found.token, audiences)).then(({ user }) => {
      const headers = credentials.headers as Record<string, string>
      headers[PROTOCOL_HEADER] = found.others.join(',')
      return user
    })
  }
}
