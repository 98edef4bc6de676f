/** What becomes of simulated containers and images: latencies and failures, as a test wishes. */
import type { ContainerConfig, SandboxConfig } from '../runtime.ts'

/** The life of one container instance. Everything absent is immediate, or does not happen. */
export interface ContainerScript {
  /** From the call to the running process, ms. */
  readonly startMs?: number
  /** It cannot be started: reason and message of the terminated state. */
  readonly startError?: { readonly reason: string; readonly message: string }
  /** It ends by itself so long after its start, ms. */
  readonly exitAfterMs?: number
  /** Code of that end. Default 0. */
  readonly exitCode?: number
  /** From the signal to its end, ms; null: it ignores the signal and has to be killed. Default 0. */
  readonly stopMs?: number | null
  /** Lines that it prints at its start. */
  readonly prints?: readonly string[]
  /** http, tcp and grpc probes succeed from so long after its start, ms; null: never. Default 0. */
  readonly healthyMs?: number | null
  /** The processor and the memory that it uses while it runs, as quantities. Default: none. */
  readonly cpu?: string
  readonly memory?: string
  /** Answers of exec. Default: no output, exit code 0. */
  exec?(command: readonly string[]): { readonly output?: string; readonly exitCode?: number }
}

/** The pull of one image. */
export interface ImageScript {
  readonly pullMs?: number
  /** It cannot be pulled: reason (`ErrImagePull`, …) and message. */
  readonly error?: { readonly reason: string; readonly message: string }
}

export interface SimulationScript {
  container?(container: ContainerConfig, sandbox: SandboxConfig): ContainerScript
  image?(image: string): ImageScript
  /** From the call to a sandbox that is ready, ms. */
  sandboxMs?(sandbox: SandboxConfig): number
}
