/** What a command is given: the terminal, the clock, the cluster. Nothing here is global, so commands can be tested. */

import type { Transport } from '../client/transport.ts'
import type { Clock } from '../lib/clock.ts'
import type { Instance } from './instance.ts'

/** The ends of the terminal. */
export interface Io {
  out(text: string): void
  err(text: string): void
  readonly stdin: NodeJS.ReadStream
  /** Standard output is a terminal. */
  readonly tty: boolean
  /** Colours are wanted: a terminal, and NO_COLOR is not set. */
  readonly color: boolean
  readonly columns: number
  readonly env: NodeJS.ProcessEnv
}

/** How `up` wants the cluster. */
export interface UpOptions {
  readonly dataDir: string
  readonly port: number
  readonly network: 'auto' | 'kernel' | 'rootless' | 'portable'
  readonly runtime: 'auto' | 'containerd' | 'process' | 'simulated'
  /** Address of a CRI socket whose runtime is to be used, e.g. `unix:///run/containerd/containerd.sock`. */
  readonly runtimeEndpoint?: string
  /** Simulated nodes; 1 where nodes are real. */
  readonly nodes: number
  /** Absolute path of the configuration file that was named. */
  readonly config?: string
}

/** What the composition root can do for commands; they cannot import it (levels). */
export interface Launcher {
  /**
   * Starts the program in the background; resolves when the API answers and the node is Ready. Rejects with a
   * `UserError`. When `signal` aborts before that, the program is ended again.
   */
  start(options: UpOptions, onProgress: (phase: string) => void, signal: AbortSignal): Promise<Instance>
  /** Runs the program, its log on the terminal, until `signal` aborts. Rejects with a `UserError` when it cannot start. */
  runInForeground(options: UpOptions, onReady: (instance: Instance) => void, signal: AbortSignal): Promise<void>
}

export interface Context {
  readonly io: Io
  readonly clock: Clock
  readonly version: string
  readonly launcher: Launcher
  /** `--data-dir`, or ~/.tutti. */
  readonly dataDir: string
  /** Print JSON instead of text. */
  readonly json: boolean
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal
  /** The cluster that commands talk to: `--kubeconfig`, or the running one of the data directory. */
  connect(): Promise<Connection>
}

/** A way to the API server. */
export interface Connection {
  readonly transport: Transport
  /** `https://127.0.0.1:6443`. */
  readonly server: string
  /** For WebSocket connections of exec and port-forward. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  readonly token?: string
  readonly namespace: string
  close(): void
}

/** An error for the person at the terminal: what went wrong, and what to do next. Printed without a stack. */
export class UserError extends Error {
  readonly hint: string | undefined

  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UserError'
    this.hint = hint
  }
}
