/**
 * One request on its way through the pipeline (DESIGN D4), whatever brought it: HTTP/1.1, HTTP/2 or a call inside the
 * process. Filters and handlers see only this.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import type { Encoded } from '../api/machinery/encoded.ts'
import type { Kind } from '../api/machinery/kind.ts'
import type { KubeObject, ListMeta } from '../api/machinery/object.ts'
import type { WatchEventType } from '../client/transport.ts'
import type { ClientCertificate, UserInfo } from './authentication/authenticator.ts'
import type { MediaChoice } from './http/media.ts'
import type { RequestSeries } from './metrics/requests.ts'

/** What the path and method say (k8s.io/apiserver RequestInfo). */
export interface RequestInfo {
  /** False for `/version`, `/openapi/v3`, `/apis`, … */
  readonly isResource: boolean
  /** get, list, watch, create, update, patch, delete, deletecollection, connect; the lower-case method for non-resources. */
  readonly verb: string
  readonly group: string
  readonly version: string
  /** '' for cluster scope and for requests across namespaces. */
  readonly namespace: string
  /** Plural, without subresource; '' for non-resources. */
  readonly resource: string
  readonly subresource: string
  /** '' where the path names none. */
  readonly name: string
  /** What follows the subresource, as in `proxy/a/b`. */
  readonly rest: string
}

/** The body, as bytes from the wire or as a value from the same process (then it is ours to change). */
export type RequestBody =
  | { readonly type: 'none' }
  | {
      readonly type: 'bytes'
      readonly contentType: string
      /** All of it, up to a limit. */
      read(): Promise<Buffer>
      /** As it comes, for who hands it on. Instead of `read`. */
      stream(): Readable
    }
  | { readonly type: 'value'; readonly contentType: string; readonly value: unknown }

export interface ServerRequest {
  readonly method: string
  /** Decoded where segments are used; this is as sent, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Lower-case names. Empty for calls inside the process. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Names and values of headers in turn, as they came; absent for calls inside the process. */
  readonly rawHeaders?: readonly string[]
  readonly body: RequestBody
  /** Aborts when the client has gone or the server stops. */
  readonly signal: AbortSignal
  readonly info: RequestInfo
  /** Set by authentication. */
  user: UserInfo
  /** Set by routing for resource requests. */
  kind?: Kind
  /** The form of the answer that the client accepts, once that was found out; JSON when absent. */
  media?: MediaChoice
  /** The FlowSchema and priority level that the request belongs to, as its answer's headers name them. */
  flow?: { readonly flow: { readonly uid: string }; readonly level: { readonly uid: string } }
  /** Called by the HTTP side once the answer was written, or cannot be. */
  written?: () => void
  /** Adds a `Warning: 299` header to the answer. */
  warn(text: string): void
  readonly warnings: readonly string[]
  /** Notes something for the audit event of the request; absent where nobody wants to know. */
  audit?(key: string, value: string, level?: 'Request'): void
  /** Asks admission about the object in the body, once it is decoded: for kinds that are answered and not kept. */
  admitBody?(object: KubeObject): Promise<void>
  /** Told what the body holds, where the audit event has it. */
  noteBody?(value: unknown): void
  /** The audit log has seen it. */
  audited?: boolean
  /** A call inside this process. */
  readonly local?: boolean
  /** The certificate that the client showed, trusted or not; absent without one. */
  readonly clientCertificate?: ClientCertificate
  /** Address of the other end of the connection; absent for calls inside the process. */
  readonly remoteAddress?: string
  /** When it came, as the clock's `elapsed` has it; set by the filter that counts. */
  began?: number
  /** Where this request is counted, and whether it counts as open; set by the filter that counts. */
  series?: RequestSeries | undefined
  isOpen?: boolean
  /** The raw HTTP/1.1 message of an upgrade request. */
  readonly upgrade?: IncomingMessage
}

export interface ServerWatchEvent {
  readonly type: WatchEventType
  /** Bytes and value of the object; a Status for ERROR. */
  readonly object: Encoded
}

/** What a handler answers; the HTTP side and the in-process transport each take what they need. */
export type Answer = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
} & (
  | {
      readonly type: 'object'
      readonly object: Encoded
      /** Where it is not the request's. */
      readonly kind?: Kind
    }
  /** Any JSON value that is not kept anywhere (Status, Table, discovery). */
  | { readonly type: 'value'; readonly value: unknown }
  | {
      readonly type: 'list'
      readonly kind: string
      readonly apiVersion: string
      readonly metadata: ListMeta
      readonly items: readonly Encoded[]
      /** Items are shown without apiVersion and kind, which the list's own tell: so Go's typed lists are. */
      readonly untyped?: boolean
    }
  | { readonly type: 'watch'; readonly events: AsyncIterable<readonly ServerWatchEvent[]> }
  | { readonly type: 'bytes'; readonly contentType: string; readonly bytes: Uint8Array }
  | { readonly type: 'stream'; readonly contentType: string; readonly stream: AsyncIterable<Uint8Array> }
  /** What another server answered, handed on as it comes: its headers, but those of its connection. */
  | {
      readonly type: 'relayed'
      readonly received: Readonly<Record<string, string | string[]>>
      readonly stream: AsyncIterable<Uint8Array>
    }
  /** Takes over the connection of an upgrade request; the callee writes the 101 itself. */
  | { readonly type: 'upgrade'; accept(socket: Duplex, head: Buffer): void }
)

/** Throws `StatusError` for what the client should be told. */
export type Handler = (request: ServerRequest) => Promise<Answer>

/** Wraps a handler; one concern a file. */
export type Filter = (next: Handler) => Handler
