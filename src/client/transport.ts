/**
 * Every arrow into the API server is the same client over one function (DESIGN section 2): a direct call inside the
 * process, HTTPS outside it.
 */
import type { KubeObject } from '../api/machinery/object.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Absolute, percent-encoded, without the query: `/api/v1/namespaces/default/pods`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** A plain JSON value. It is the callee's from now on: the caller must not touch it again. */
  readonly body?: unknown
  /** Of the body; `application/json` when absent. Patches name theirs. */
  readonly contentType?: string
  /** Media type wanted, e.g. for Tables; JSON of the object when absent. */
  readonly accept?: string
  /** Ends a watch or a stream. */
  readonly signal?: AbortSignal
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'

export interface WatchEvent<T extends KubeObject = KubeObject> {
  readonly type: WatchEventType
  /** Shared and read-only. A Status for ERROR. */
  readonly object: T
}

/** One of `object` (anything but a stream), `events` (watch) and `bytes` (logs) is set. */
export interface ApiResponse {
  readonly status: number
  /** The answer, or a Status where `status` is 400 or more. Shared and read-only. */
  readonly object?: unknown
  /** Batches of events; ends when the server or the signal ends the watch. */
  readonly events?: AsyncIterable<readonly WatchEvent[]>
  readonly bytes?: AsyncIterable<Uint8Array>
  /** Texts of `Warning` headers. */
  readonly warnings?: readonly string[]
}

/** Answers every request; rejects only where there was no answer (network down, shutting down). */
export type Transport = (request: ApiRequest) => Promise<ApiResponse>
