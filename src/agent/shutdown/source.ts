/** What tells a node that its machine shuts down. */

export interface ShutdownListener {
  /** The machine shuts down; it waits until the promise resolves, as long as it can. */
  begins(): Promise<void>
  /** It does not, after all. */
  cancelled(): void
}

export interface ShutdownSource {
  /** Tells from now on, until `signal` aborts. Does not throw: what cannot be followed is logged and tried again. */
  follow(listener: ShutdownListener, signal: AbortSignal): void
}
