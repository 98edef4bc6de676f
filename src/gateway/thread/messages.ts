/** What the two ends of the data plane's thread say to each other. Plain data. */
import type { Sample } from '../../lib/metrics.ts'
import type { Delta } from '../data-plane.ts'
import type { PortWish } from '../server/ports.ts'

export type PortName = 'plain' | 'secure'

/** What the thread is given at its start. */
export interface ThreadData {
  /** Addresses of this machine to listen at; undefined: sockets are asked for (`socket`). */
  readonly hosts: readonly string[] | undefined
  readonly ports: { readonly http: PortWish; readonly https: PortWish }
  /** Ranges of addresses of proxies that are believed. */
  readonly trustedProxies: readonly string[]
}

/** To the thread. */
export type Order =
  | { readonly type: 'apply'; readonly delta: Delta }
  | { readonly type: 'open' | 'close'; readonly port: PortName }
  | { readonly type: 'count' }
  | { readonly type: 'end'; readonly graceMs: number }
  /** To a question for a socket: a number of this process, or why there is none. */
  | { readonly type: 'socket'; readonly id: number; readonly fd: number; readonly port: number }
  | { readonly type: 'no socket'; readonly id: number; readonly code: string; readonly message: string }

/** How a port stands, as `Port` says it. */
export interface PortState {
  readonly number: number
  readonly isOpen: boolean
  readonly why: string | undefined
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** From the thread. Each `open` and each `count` is answered, in their order. */
export type Report =
  | ({ readonly type: 'port'; readonly port: PortName } & PortState)
  /** The samples of each family, in the order of `GatewayMetrics`. */
  | { readonly type: 'numbers'; readonly samples: readonly (readonly Sample[])[] }
  | { readonly type: 'log'; readonly level: LogLevel; readonly fields: object; readonly message: string | undefined }
  | { readonly type: 'ended' }
  /** A socket that listens at a port of another network is asked for. */
  | { readonly type: 'socket'; readonly id: number; readonly port: number }
