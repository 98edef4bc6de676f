/**
 * The API server as one value: a registry over the store, the pipeline of filters and handlers, and the doors to it
 * (in-process transport, HTTPS). The composition root brings store, kinds and what stands on the registry
 * (authentication, authorization, admission, special resources).
 */
import { randomUUID } from 'node:crypto'
import type { AskConverter } from '../api/custom/conversion.ts'
import { CustomResourceDefinition } from '../api/kinds/apiextensions/custom-resource-definition.ts'
import type { Kind } from '../api/machinery/kind.ts'
import { pathNotFound } from '../api/machinery/status-error.ts'
import type { Transport } from '../client/transport.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { type Family, metricsText } from '../lib/metrics.ts'
import { processMetrics } from '../lib/process-metrics.ts'
import type { Store } from '../store/store.ts'
import type { AdmissionPlugin } from './admission/plugin.ts'
import type { Aggregation } from './aggregation/aggregation.ts'
import type { Audit } from './audit/audit.ts'
import type { Authenticator, UserInfo } from './authentication/authenticator.ts'
import { impersonationFilter } from './authentication/impersonation/impersonation.ts'
import type { Authorizer } from './authorization/authorizer.ts'
import { definitionHooks } from './custom/definition-hooks.ts'
import { createDefinitions } from './custom/definitions.ts'
import { discovery } from './discovery/discovery.ts'
import { indexPage } from './discovery/index-page.ts'
import { represented } from './discovery/representation.ts'
import type { FeaturesOff } from './features/features.ts'
import { withoutFeatures } from './features/without.ts'
import { authenticationFilter } from './filters/authentication.ts'
import { authorizationFilter } from './filters/authorization.ts'
import { errorFilter } from './filters/errors.ts'
import { representationFilter } from './filters/representation.ts'
import { timeoutFilter } from './filters/timeout.ts'
import { createFlowControl } from './flow-control/filter.ts'
import { answerHealth, type HealthCheck, healthPaths } from './handlers/health.ts'
import { createPacer } from './handlers/pacer.ts'
import { resourceRoutes } from './handlers/route.ts'
import { listenHttps, type WireObserver } from './http/https-server.ts'
import { accessMetrics } from './metrics/access.ts'
import { checkMetrics } from './metrics/checks.ts'
import { requestMetrics } from './metrics/requests.ts'
import { serverMetrics } from './metrics/server.ts'
import { meteredStore } from './metrics/store.ts'
import { openApi } from './openapi/openapi.ts'
import { admissionChain } from './registry/admission-chain.ts'
import { createCacheFeed } from './registry/cache-feed.ts'
import { createRegistry } from './registry/create-registry.ts'
import { kindTable } from './registry/kind-table.ts'
import type { KindHooks, Registry } from './registry/registry.ts'
import type { Answer, Filter, Handler, ServerRequest } from './request.ts'
import { localTransport } from './transport.ts'

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
  /** Asked in order; the first that knows the credentials wins. */
  readonly authenticators: readonly Authenticator[]
  /** Whether a request that nobody authenticated may be anonymous, by its path. Default: every one. */
  anonymous?(path: string): boolean
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
  /** The converter of a definition of custom resources that has a webhook for it. */
  converter?(definition: CustomResourceDefinition): AskConverter | undefined
  /** Other API servers as part of this one. */
  readonly aggregation?: Aggregation
  /** Ends what was begun with them. */
  close?(): void
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
  /** Notes what is asked; nothing is spent without it. It is closed with the server. */
  readonly audit?: Audit
  /** Whether what is stored at a key must be written again, though it would be the same: it is encrypted otherwise. */
  isStale?(key: string): boolean
  /** Further checks of health. */
  readonly checks?: readonly HealthCheck[]
  /** Features that are on by default and shall be off. */
  readonly featuresOff?: FeaturesOff
  /** Whether FlowSchemas say in their status if their level exists. Default true. */
  readonly judgeFlowSchemas?: boolean
  /** Further numbers for `/metrics`. */
  readonly families?: readonly Family[]
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

const NO_HOOKS: ReadonlyMap<string, KindHooks> = new Map()

/** One handler of filters, the first outermost. */
const chain = (filters: readonly Filter[], handler: Handler) =>
  filters.reduceRight((next, filter) => filter(next), handler)

/** Loads the registry and makes the server. It listens nowhere yet. */
export async function createApiServer(deps: ApiServerDeps): Promise<ApiServer> {
  const { clock, logger } = deps
  const { store, families: storeFamilies } = meteredStore(deps.store, clock)
  const access = accessMetrics(clock)
  const random = deps.random ?? { uuid: randomUUID, number: Math.random }
  const kinds = kindTable(deps.kinds)
  const stored = deps.kinds.filter(kind => !kind.virtual && !kind.storage)
  const health = { broken: undefined as Error | undefined, closing: false }
  const feed = await createCacheFeed(store, stored, error => {
    health.broken = error
    logger.error({ err: error }, 'the watch of the store broke: the server is not ready any more')
  })
  let extensions: ServerExtensions | undefined
  const registry = createRegistry({
    store,
    feed,
    kinds,
    admission: admissionChain(() => extensions?.admission ?? [], access.admission),
    hooks: kind =>
      kind.key === CustomResourceDefinition.key ? definitionHooks : (extensions?.hooks ?? NO_HOOKS).get(kind.key),
    now: clock.now,
    uuid: random.uuid,
    random: random.number,
    ...(deps.isStale && { isStale: deps.isStale }),
  })
  const ext = await deps.extend(registry)
  extensions = ext
  const definitions = createDefinitions({
    registry,
    logger,
    now: clock.now,
    ...(ext.converter && { converter: ext.converter }),
  })
  if (registry.kind(CustomResourceDefinition.key)) await definitions.start()

  const resources = resourceRoutes({ registry, clock, random: random.number, pace: createPacer(clock) }, ext)
  const { aggregation } = ext
  const ownDiscovery = discovery(kinds)
  const ownDocuments = openApi(kinds, deps.version.gitVersion)
  const discover = represented(aggregation?.discovery(ownDiscovery) ?? ownDiscovery)
  const documents = aggregation?.openApi(ownDocuments) ?? ownDocuments
  const requests = requestMetrics(clock)
  const flowControl = createFlowControl({
    registry,
    clock,
    logger,
    judgeSchemas: deps.judgeFlowSchemas ?? true,
    held({ info: { group, version, resource } }) {
      const kind = kinds.find(group, version, resource)
      const cache = kind && !kind.virtual ? registry.view(kind).cache : undefined
      return cache && { count: cache.size, bytes: cache.size ? cache.bytes / cache.size : 0 }
    },
  })
  const families = [
    ...requests.families,
    ...flowControl.families,
    ...access.families,
    ...storeFamilies,
    ...serverMetrics(kinds, registry, flowControl, deps.version),
    ...processMetrics(clock.now()),
    ...(deps.audit?.families ?? []),
    ...(deps.families ?? []),
  ]
  const checks: HealthCheck[] = [
    { name: 'ping', check: () => {} },
    {
      name: 'store',
      check: () => {
        if (health.broken) throw health.broken
      },
    },
    ...(deps.checks ?? []),
    {
      name: 'shutdown',
      onlyReady: true,
      check: () => {
        if (health.closing) throw new Error('the server is shutting down')
      },
    },
  ]

  const slis = checkMetrics(checks)
  const fixed = [...(ext.paths?.keys() ?? []), ...healthPaths(checks)]
  const index = indexPage(kinds, () => [...fixed, ...(aggregation?.paths() ?? [])])

  async function nonResource(request: ServerRequest): Promise<Answer> {
    const special = ext.paths?.get(request.path)
    if (special) return special(request)
    const healthy = answerHealth(checks, request)
    if (healthy) return healthy
    const counted = request.path === '/metrics' ? families : request.path === '/metrics/slis' ? slis : undefined
    if (counted) {
      const bytes = Buffer.from(await metricsText(counted))
      return { status: 200, type: 'bytes', contentType: 'text/plain; version=0.0.4; charset=utf-8', bytes }
    }
    if (request.path === '/version' || request.path === '/version/')
      return { status: 200, type: 'value', value: deps.version }
    const discovered = index(request.path) ?? (await discover(request)) ?? (await documents(request))
    if (discovered) return discovered
    throw pathNotFound()
  }
  const route: Handler = request => (request.info.isResource ? resources(request) : nonResource(request))
  const featuresOff = deps.featuresOff ?? new Set<never>()
  const without = withoutFeatures(featuresOff)
  const inner = [
    ...(without ? [without] : []),
    authorizationFilter(ext.authorizer, access.authorization),
    ...(aggregation ? [aggregation.filter] : []),
    representationFilter(clock, ({ group, version, resource }) => kinds.find(group, version, resource)),
  ]
  const audited = deps.audit ? [deps.audit.filter] : []
  const local = chain([requests.filter, errorFilter(logger), ...audited, ...inner], route)
  const wire = chain(
    [
      requests.filter,
      errorFilter(logger),
      timeoutFilter(clock),
      ...(deps.audit ? [deps.audit.outer] : []),
      authenticationFilter(ext.authenticators, ext.anonymous, access.authentication),
      ...audited,
      impersonationFilter(ext.authorizer, { constrained: !featuresOff.has('ConstrainedImpersonation') }),
      flowControl.filter,
      ...inner,
    ],
    route,
  )
  const listening = new Set<Listening>()
  const observer: WireObserver = {
    watched: requests.watched,
    ended(request, bytes) {
      requests.ended(request, bytes)
      deps.audit?.ended(request)
    },
  }

  return {
    registry,
    transport: user => localTransport(local, user),
    async listen(options) {
      const port = await listenHttps({ handler: wire, logger, clock, observer }, options)
      listening.add(port)
      return port
    },
    async close() {
      health.closing = true
      definitions.close()
      flowControl.close()
      ext.aggregation?.close()
      ext.close?.()
      feed.close()
      await Promise.all([...listening].map(each => each.close()))
      await deps.audit?.close()
    },
  }
}
