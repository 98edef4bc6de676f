/** Other API servers as part of this one (Kubernetes documentation, "API Aggregation Layer"). */
import type { APIService } from '../../api/generated/types/apiregistration-v1.ts'
import type { NodeDirectory } from '../../client/node-api.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import type { Registry } from '../registry/registry.ts'
import type { Answer, Filter, ServerRequest } from '../request.ts'
import { podDialer, serviceDialer } from '../services/dial.ts'
import { type ServiceReaders, serviceResolver } from '../services/endpoint.ts'
import { API_SERVICES, pathsOf } from './api-service.ts'
import { handOnFilter } from './hand-on.ts'
import { mergeDiscovery } from './merged-discovery.ts'
import { mergeOpenApi } from './merged-openapi.ts'
import { followRemoteServices } from './remote-services.ts'

type Documents = (request: ServerRequest) => Answer | undefined

export interface Aggregation {
  /** Hands on what other servers serve. Stands after authorization. */
  readonly filter: Filter
  /** Discovery and OpenAPI of all servers as one, from this server's own. */
  discovery(local: Documents): Documents
  /** Where versions of groups are that APIServices name, whether these can be asked or not. */
  paths(): readonly string[]
  openApi(local: Documents): (request: ServerRequest) => ReturnType<Documents> | Promise<Answer | undefined>
  close(): void
}

export interface AggregationDeps {
  readonly registry: Registry
  readonly nodes: NodeDirectory
  readonly clock: Clock
  readonly logger: Logger
  readonly random: () => number
  /** The certificate that this server shows to the others. */
  client?(): Promise<KeyPair>
}

/** Follows the registered servers; undefined where APIServices are not served. */
export function openAggregation(deps: AggregationDeps): Aggregation | undefined {
  const { registry, clock, logger, random, client } = deps
  const reader = (key: string) => {
    const kind = registry.kind(key)
    return kind && registry.reader(kind)
  }
  const objects = reader(API_SERVICES)
  const [services, endpointSlices, pods] = [
    reader('v1/services'),
    reader('discovery.k8s.io/v1/endpointslices'),
    reader('v1/pods'),
  ]
  if (!objects || !services || !endpointSlices || !pods) return undefined
  const readers: ServiceReaders = { services, endpointSlices, random }
  const remote = followRemoteServices({
    registry,
    readers,
    clock,
    logger,
    resolve: serviceResolver(readers),
    dial: serviceDialer(pods, podDialer(deps.nodes)),
    ...(client && { client }),
  })
  return {
    filter: handOnFilter(registry, remote),
    discovery: local => mergeDiscovery(remote, objects, local),
    openApi: local => mergeOpenApi(remote, local),
    paths: () => objects.list().flatMap(({ value }) => pathsOf(value as APIService)),
    close: remote.close,
  }
}
