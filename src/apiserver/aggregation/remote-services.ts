/**
 * The groups and versions that other servers serve, kept current by events: APIServices, the services that they name
 * and the endpoints of those. Whether a server answers, no event tells: those that are registered are asked every half
 * minute, and more often while they fail.
 */
import type { APIService } from '../../api/generated/types/apiregistration-v1.ts'
import { SERVICE_NAME } from '../../api/kinds/discovery/service-name.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { equalJson } from '../../lib/json.ts'
import type { Logger } from '../../lib/log.ts'
import type { Registry } from '../registry/registry.ts'
import type { ServiceReaders } from '../services/endpoint.ts'
import { API_SERVICES, groupVersionPath, OWN_GROUP, withCondition } from './api-service.ts'
import { type Finding, failedDiscovery, LOCAL, obstacle, PASSED } from './availability.ts'
import { AGGREGATOR, fetchDiscovery, type RemoteDiscovery, type Resource } from './remote-discovery.ts'
import { type RemoteDeps, type RemoteServer, remoteServer } from './remote-server.ts'

/** Between two looks at a server that answers, in ms. */
const REFRESH = 30_000
/** Between looks at one that does not: doubled from the first to REFRESH. */
const FIRST_RETRY = 100
const CHECK_TIMEOUT = 5_000
/** Endpoints are tried by chance: one that is down among several is no reason to refuse. */
const ATTEMPTS = 5

export interface RemoteVersion {
  readonly name: string
  readonly group: string
  readonly version: string
  readonly groupPriority: number
  readonly versionPriority: number
  readonly server: RemoteServer
  readonly resources: readonly Resource[]
  /** The last look at its discovery succeeded. */
  readonly fresh: boolean
}

export interface RemoteServices {
  /** Nothing is registered: the usual case, and cheap to ask. */
  isEmpty(): boolean
  /** The registered version; undefined where this server answers itself. */
  find(group: string, version: string): RemoteVersion | undefined
  all(): Iterable<RemoteVersion>
  /** Rises when what `all` gives has changed. */
  generation(): number
  close(): void
}

export interface RemoteServicesDeps extends RemoteDeps {
  readonly registry: Registry
  readonly readers: ServiceReaders
  readonly clock: Clock
  readonly logger: Logger
}

interface Entry extends RemoteVersion {
  resources: readonly Resource[]
  fresh: boolean
  discovery: RemoteDiscovery | undefined
  spec: APIService['spec']
  timer: Timer | undefined
  failures: number
  checking: boolean
  /** Something has changed since the check began. */
  dirty: boolean
}

const key = (group: string, version: string) => `${group}/${version}`

/** Follows the registry. */
export function followRemoteServices(deps: RemoteServicesDeps): RemoteServices {
  const { registry, readers, clock, logger } = deps
  const kind = registry.kind(API_SERVICES)
  const entries = new Map<string, Entry>()
  let generation = 0
  let closed = false
  if (!kind) return { isEmpty: () => true, find: () => undefined, all: () => [], generation: () => 0, close: () => {} }
  const services = registry.reader(kind)

  async function report(name: string, finding: Finding): Promise<void> {
    const conditionsOf = (object: KubeObject) => withCondition(object as APIService, finding, rfc3339(clock.now()))
    const current = services.get('', name)
    if (!current || !conditionsOf(current.value)) return
    const context = { user: AGGREGATOR, fieldManager: 'kube-apiserver', subresource: 'status' }
    try {
      await registry.update(
        kind!,
        { namespace: '', name },
        object => {
          const conditions = conditionsOf(object)
          if (conditions) (object as APIService).status = { conditions }
        },
        context,
      )
    } catch (error) {
      if (!(error instanceof StatusError))
        logger.error({ err: error, name }, 'the status of an APIService was not kept')
    }
  }

  /** One question to the server that it must be able to answer; gives what went wrong. */
  async function ask({ server, group, version }: Entry): Promise<string | undefined> {
    const path = groupVersionPath(group, version)
    try {
      const { host, status } = await server.get(path, AGGREGATOR, {}, CHECK_TIMEOUT)
      const url = `https://${host}${path}`
      if (status >= 200 && status < 300) return undefined
      return `failing or missing response from ${url}: bad status from ${url}: ${status}`
    } catch (error) {
      return (error as Error).message
    }
  }

  async function probe(entry: Entry): Promise<Finding> {
    const first = await ask(entry)
    if (first === undefined) return PASSED
    const others = await Promise.all(Array.from({ length: ATTEMPTS - 1 }, () => ask(entry)))
    return others.includes(undefined) ? PASSED : failedDiscovery(first)
  }

  async function discover(entry: Entry): Promise<void> {
    const before = { resources: entry.resources, fresh: entry.fresh }
    try {
      entry.discovery = await fetchDiscovery(entry.server, entry.group, entry.version, entry.discovery)
      entry.resources = entry.discovery.resources
      entry.fresh = true
    } catch (error) {
      entry.fresh = false
      logger.debug({ err: error, name: entry.name }, 'the discovery of an aggregated server failed')
    }
    if (before.fresh !== entry.fresh || !equalJson(before.resources, entry.resources)) generation++
  }

  async function check(entry: Entry): Promise<void> {
    const current = services.get('', entry.name)?.value as APIService | undefined
    if (!current) return
    const finding = obstacle(readers, current) ?? (await probe(entry))
    if (entries.get(key(entry.group, entry.version)) !== entry || closed) return
    if (finding === PASSED) {
      await discover(entry)
      entry.failures = entry.fresh ? 0 : entry.failures + 1
    } else {
      if (entry.fresh) generation++
      entry.fresh = false
      // What is missing comes with an event.
      entry.failures = finding.reason === 'FailedDiscoveryCheck' ? entry.failures + 1 : 0
    }
    await report(entry.name, finding)
  }

  function look(entry: Entry) {
    entry.timer?.cancel()
    entry.dirty = true
    if (entry.checking || closed) return
    entry.checking = true
    void (async () => {
      while (entry.dirty) {
        entry.dirty = false
        await check(entry).catch(error =>
          logger.error({ err: error, name: entry.name }, 'checking an APIService failed'),
        )
      }
      entry.checking = false
      if (closed || entries.get(key(entry.group, entry.version)) !== entry) return
      const wait = entry.failures ? Math.min(FIRST_RETRY * 2 ** (entry.failures - 1), REFRESH) : REFRESH
      entry.timer = clock.after(wait, () => look(entry))
    })()
  }

  function remove(entry: Entry) {
    entries.delete(key(entry.group, entry.version))
    entry.timer?.cancel()
    entry.server.close()
    generation++
  }

  function take(object: APIService) {
    const { spec } = object
    const { group = '', version = '' } = spec ?? {}
    const known = entries.get(key(group, version))
    const isRemote = spec?.service !== undefined && spec.service !== null && group !== OWN_GROUP
    if (known && (!isRemote || !equalJson(known.spec, spec))) remove(known)
    if (!isRemote) return void report(object.metadata?.name ?? '', LOCAL)
    if (entries.has(key(group, version))) return
    const entry: Entry = {
      name: object.metadata?.name ?? '',
      group,
      version,
      groupPriority: spec.groupPriorityMinimum ?? 0,
      versionPriority: spec.versionPriority ?? 0,
      server: remoteServer(deps, object),
      resources: known?.resources ?? [],
      fresh: false,
      discovery: undefined,
      spec,
      timer: undefined,
      failures: 0,
      checking: false,
      dirty: false,
    }
    entries.set(key(group, version), entry)
    generation++
    look(entry)
  }

  const lookAt = (namespace: string | undefined, name: string | undefined) => {
    for (const entry of entries.values()) {
      const of = entry.spec?.service
      if (of?.namespace === namespace && of?.name === name) look(entry)
    }
  }
  const ends = [
    services.onChange((previous, current) => {
      if (current) return take(current.value as APIService)
      const { group = '', version = '' } = (previous?.value as APIService | undefined)?.spec ?? {}
      const known = entries.get(key(group, version))
      if (known) remove(known)
    }),
    readers.services.onChange((previous, current) => {
      if (!entries.size) return
      const { metadata } = (current ?? previous)!.value
      lookAt(metadata?.namespace, metadata?.name)
    }),
    readers.endpointSlices.onChange((previous, current) => {
      if (!entries.size) return
      const { metadata } = (current ?? previous)!.value
      lookAt(metadata?.namespace, metadata?.labels?.[SERVICE_NAME])
    }),
  ]
  for (const { value } of services.list()) take(value as APIService)

  return {
    isEmpty: () => entries.size === 0,
    find: (group, version) => entries.get(key(group, version)),
    all: () => entries.values(),
    generation: () => generation,
    close() {
      closed = true
      for (const end of ends) end()
      for (const entry of entries.values()) {
        entry.timer?.cancel()
        entry.server.close()
      }
    },
  }
}
