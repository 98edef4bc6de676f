/**
 * A node as the API server sees it: what the kubelet serves on its own port. The agent implements it; in one process
 * the call is direct, between machines it goes over the node's HTTPS.
 */
import type { Duplex } from 'node:stream'

/** Options of pods/log (API doc: core/v1 PodLogOptions). */
export interface LogOptions {
  readonly container: string
  readonly follow?: boolean
  readonly previous?: boolean
  readonly sinceSeconds?: number
  /** RFC 3339. */
  readonly sinceTime?: string
  readonly timestamps?: boolean
  readonly tailLines?: number
  readonly limitBytes?: number
}

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** The client's ends of a remote command. Absent ones were not asked for. With `tty`, stderr comes with stdout. */
export interface CommandStreams {
  /** What the client types; ends when the client closes it. */
  readonly stdin?: AsyncIterable<Uint8Array>
  /** Resolves when the chunk was taken: back-pressure. */
  stdout?(chunk: Uint8Array): Promise<void>
  stderr?(chunk: Uint8Array): Promise<void>
  readonly resize?: AsyncIterable<TerminalSize>
  /** The client went away. */
  readonly signal: AbortSignal
}

export interface ExecOptions {
  readonly container: string
  readonly command: readonly string[]
  readonly tty: boolean
}

export interface AttachOptions {
  readonly container: string
  readonly tty: boolean
}

/** The pod, by name and uid: a node must refuse when it runs another pod under that name. */
export interface PodRef {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** A request to what a kubelet serves on a port of its own (nodes/proxy). */
export interface NodeRequest {
  readonly method: string
  /** Absolute, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly signal: AbortSignal
  /** As it comes; absent where there is none. To be read once. */
  readonly body?: AsyncIterable<Uint8Array>
}

export interface NodeAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * Where a pod is connected to: by its address, as others in the cluster reach it (proxies, webhooks), or also by its
 * loopback, as from inside (port-forward). A pod on the network of its machine has the loopback of that: whoever may
 * only reach its address must not get there.
 */
export type PodDoor = 'address' | 'inside'

/** Methods throw `StatusError` for what the client should be told (container not found, not running, …). */
export interface NodeApi {
  /** Bytes as `kubectl logs` prints them. Rejects before the first byte for bad requests. */
  logs(pod: PodRef, options: LogOptions, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** Resolves with the exit code when the command has ended and its output was delivered. */
  exec(pod: PodRef, options: ExecOptions, streams: CommandStreams): Promise<{ exitCode: number }>
  /** Resolves when the container's main process has ended or the client went away. */
  attach(pod: PodRef, options: AttachOptions, streams: CommandStreams): Promise<void>
  /** Opens a TCP connection to `port` of the pod. */
  connect(pod: PodRef, port: number, via: PodDoor): Promise<Duplex>
  /** Absent where the node serves nothing of the kind. */
  serve?(request: NodeRequest): Promise<NodeAnswer>
}

/** Finds the node that runs a pod; undefined when it is not known or cannot be reached. */
export type NodeDirectory = (nodeName: string) => NodeApi | undefined
