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
  /** Absent: as before, at first 6443. 0 takes a free one. */
  readonly port?: number
  /** Absent: as before, at first `auto`. */
  readonly network?: 'auto' | 'kernel' | 'rootless' | 'portable'
  /** Absent: as before, at first `auto`. */
  readonly runtime?: 'auto' | 'containerd' | 'process' | 'simulated'
  /**
   * Address of a CRI socket whose runtime is to be used, e.g. `unix:///run/containerd/containerd.sock`. Absent: as
   * before, where `runtime` is absent, too.
   */
  readonly runtimeEndpoint?: string
  /** Simulated nodes. Absent: as before, at first 1. */
  readonly nodes?: number
  /** Absolute path of the configuration file that was named. */
  readonly config?: string
  /** Name of this machine's node; its host name when absent. */
  readonly nodeName?: string
  /** Ports of Ingresses; what is absent is as configured. */
  readonly ingressPorts?: { readonly http?: number; readonly https?: number }
  /** How other machines reach the API server; absent: they do not, unless they did before. */
  readonly exposure?: Exposure
  /** Only to end what runs: no workload is started any more. */
  readonly ending?: true
}

/** How a cluster is reached by other machines. */
export interface Exposure {
  /** This machine's address, as others know it. */
  readonly advertiseAddress: string
  /** Addresses to listen on besides loopback. */
  readonly listen: readonly string[]
  /** Further names and addresses of the server's certificate. */
  readonly names: readonly string[]
}

/** How a machine joins a cluster on another one, or goes on as a node of the one that it joined. */
export interface NodeOptions {
  readonly role: 'node'
  readonly dataDir: string
  /** Absent where it has joined. */
  readonly join?: {
    /** `HOST:PORT` of the API server. */
    readonly address: string
    readonly token: string
    /** `sha256:…` of the cluster's CA; one of them must fit. */
    readonly pins: readonly string[]
  }
  readonly nodeName?: string
  /** This machine's address, as the others reach it; absent: that from which the server is reached. */
  readonly address?: string
  /** What runs workloads, as for `up`; kept for the next start. */
  readonly runtime?: 'auto' | 'containerd' | 'process'
  readonly runtimeEndpoint?: string
  /** Only to end what runs here, without a word from the server, which may be gone for good. */
  readonly alone?: boolean
}

/** What the program in the background is to be. */
export type ProgramOptions = UpOptions | NodeOptions

/** What the composition root can do for commands; they cannot import it (levels). */
export interface Launcher {
  /** This program, as another can start it; arguments of `tutti` follow. */
  readonly command: readonly string[]
  /**
   * Starts the program in the background; resolves when the API answers and the node is Ready. Rejects with a
   * `UserError`. When `signal` aborts before that, the program is ended again.
   */
  start(options: ProgramOptions, onProgress: (phase: string) => void, signal: AbortSignal): Promise<Instance>
  /** Runs the program, its log on the terminal, until `signal` aborts. Rejects with a `UserError` when it cannot start. */
  runInForeground(options: ProgramOptions, onReady: (instance: Instance) => void, signal: AbortSignal): Promise<void>
  /** Takes away what programs of a data directory, none of which runs, have left on the machine besides it. */
  clear(dataDir: string): Promise<void>
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
