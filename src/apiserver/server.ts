/**
 * The API server as one value: a registry over the store, the pipeline of filters and handlers, and the doors to it
 * (in-process transport, HTTPS). The composition root brings store, kinds and what stands on the registry
 * (authentication, authorization, admission, special resources).
 */
import type { Kind } from '../api/machinery/kind.ts'
import type { Transport } from '../client/transport.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import type { Store } from '../store/store.ts'
import type { AdmissionPlugin } from './admission/plugin.ts'
import type { Authenticator, Authorizer, UserInfo } from './auth/auth.ts'
import type { KindHooks, Registry } from './registry/registry.ts'
import type { Handler } from './request.ts'

/** The answer of `/version` (apimachinery version.Info). */
export interface VersionInfo {
  readonly major: string
  readonly minor: string
  /** e.g. `v1.36.3+tutti.0.1.0` */
  readonly gitVersion: string
  readonly gitCommit: string
  readonly gitTreeState: string
  readonly buildDate: string
  readonly goVersion: string
  readonly compiler: string
  readonly platform: string
}

/** What others plug into the server. Made once, when the registry has been loaded and can be read. */
export interface ServerExtensions {
  /** Asked in order; the first that knows the credentials wins. None: the request is anonymous. */
  readonly authenticators: readonly Authenticator[]
  readonly authorizer: Authorizer
  /** In the order in which they run. */
  readonly admission: readonly AdmissionPlugin[]
  /**
   * Handlers of subresources that are not status or scale, by kind key and name, e.g. `v1/pods/binding`,
   * `v1/serviceaccounts/token`. Called for every method that discovery allows, after authorization; `request.kind` is
   * the parent's. For upgrades `request.upgrade` is set.
   */
  readonly subresources: ReadonlyMap<string, Handler>
  /** Handlers of virtual kinds (reviews, bindings, component statuses), by kind key. */
  readonly virtual: ReadonlyMap<string, Handler>
  /** By kind key. */
  readonly hooks: ReadonlyMap<string, KindHooks>
  /** Further non-resource paths, matched exactly, e.g. `/openid/v1/jwks`. Authorized as non-resource requests. */
  readonly paths?: ReadonlyMap<string, Handler>
}

export interface ApiServerDeps {
  readonly store: Store
  readonly kinds: readonly Kind[]
  readonly clock: Clock
  readonly logger: Logger
  readonly version: VersionInfo
  /** Called before the first request is served. It may read and write through the registry. */
  extend(registry: Registry): ServerExtensions | Promise<ServerExtensions>
  /** Chance, for replays (DESIGN D10). Default: the machine's. */
  readonly random?: { uuid(): string; number(): number }
}

export interface TlsFiles {
  /** PEM. */
  readonly key: string
  readonly cert: string
  /** PEM of the CA for client certificates; none are asked for without it. */
  readonly clientCa?: string
}

export interface ListenOptions {
  /** Addresses to listen on, e.g. `['127.0.0.1', '::1']`. */
  readonly hosts: readonly string[]
  /** 0 takes a free one, the same for all addresses. */
  readonly port: number
  readonly tls: TlsFiles
}

export interface Listening {
  readonly port: number
  /** New connections and requests are refused, running ones may end for `graceMs`, then they are cut. */
  close(graceMs?: number): Promise<void>
}

export interface ApiServer {
  readonly registry: Registry
  /** Calls inside this process, as `user`: they skip authentication and nothing else. */
  transport(user: UserInfo): Transport
  /** Serves HTTPS. Rejects with a sentence that names the address when it is taken. */
  listen(options: ListenOptions): Promise<Listening>
  /** Ends watches and listeners. The store stays open: it is the caller's. */
  close(): Promise<void>
}
