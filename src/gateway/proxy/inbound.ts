/** A client's request as the gateway reads it, of HTTP/1.1 and HTTP/2 alike. What is doubtful is refused. */
import type { Fields } from '../../lib/http1/head.ts'
import { hostOf } from '../routing/host.ts'
import { normalPath, pathOf } from '../routing/path.ts'

/** What a client said, in whatever protocol. */
export interface Said {
  readonly method: string
  /** A path with its query, or a whole URL. */
  readonly target: string
  readonly hosts: readonly string[]
  readonly fields: Fields
  /** Of its body: how many bytes it says, or that there is one of unknown length, or none. */
  readonly body: 'none' | 'sized' | 'unsized'
  /** Bytes of a body that is sized. */
  readonly length: number
  /** It asks for a WebSocket. */
  readonly upgrade: boolean
  readonly secure: boolean
  /** The client's address. */
  readonly client: string
}

export interface Inbound extends Said {
  /** As the client wrote it, with a port where it did. */
  readonly authority: string
  /** As routes are compared with it; undefined: the request is to be refused. */
  readonly host: string | undefined
  readonly path: string | undefined
}

/** Of a request that names its host in its target, too (RFC 9112, 3.2.2). */
const ABSOLUTE = /^https?:\/\/([^/?#]+)(.*)$/i

/** Reads a request. It has neither host nor path where one is missing, is said twice or could be taken for another. */
export function readInbound(said: Said): Inbound {
  const { target: url, hosts } = said
  const [, named, rest = ''] = url.startsWith('/') ? [] : (ABSOLUTE.exec(url) ?? [])
  const target = named === undefined ? url : rest.startsWith('/') ? rest : `/${rest}`
  const authority = named ?? hosts[0] ?? ''
  const host = hosts.length > 1 ? undefined : hostOf(authority)
  return { ...said, target, authority, host, path: normalPath(pathOf(target)) }
}
