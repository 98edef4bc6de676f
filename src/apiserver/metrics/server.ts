/** What the server holds at the moment. */
import type { APIService } from '../../api/generated/types/apiregistration-v1.ts'
import { type Family, lookedUp } from '../../lib/metrics.ts'
import { API_SERVICES, isAvailable } from '../aggregation/api-service.ts'
import type { FlowControl } from '../flow-control/filter.ts'
import type { ServerRegistry } from '../registry/create-registry.ts'
import type { KindTable } from '../registry/kind-table.ts'
import type { VersionInfo } from '../server.ts'

/** Makes the families; nothing is looked up before somebody asks. */
export function serverMetrics(
  kinds: KindTable,
  registry: ServerRegistry,
  inFlight: FlowControl,
  version: VersionInfo,
): Family[] {
  const stored = () => kinds.all().filter(kind => !kind.virtual && !kind.storage)
  const services = registry.kind(API_SERVICES)
  return [
    lookedUp(
      'gauge',
      'apiserver_current_inflight_requests',
      'Requests that are being answered, by kind of request.',
      () => {
        const { readOnly, mutating } = inFlight.current()
        return [
          [{ request_kind: 'readOnly' }, readOnly],
          [{ request_kind: 'mutating' }, mutating],
        ]
      },
    ),
    lookedUp('gauge', 'apiserver_resource_objects', 'Stored objects, by group and resource.', () =>
      stored().map(kind => [{ group: kind.group, resource: kind.plural }, registry.view(kind).cache.size]),
    ),
    lookedUp('gauge', 'apiserver_storage_objects', 'Stored objects, by resource.', () =>
      stored().map(kind => [
        { resource: kind.group ? `${kind.plural}.${kind.group}` : kind.plural },
        registry.view(kind).cache.size,
      ]),
    ),
    lookedUp(
      'gauge',
      'apiserver_watch_cache_resource_version',
      'The revision up to which the cache of a resource is current.',
      () => stored().map(kind => [{ group: kind.group, resource: kind.plural }, registry.revision()]),
    ),
    lookedUp(
      'gauge',
      'aggregator_unavailable_apiservice',
      'Whether an APIService cannot be used (1) or can (0).',
      () =>
        services
          ? registry
              .reader(services)
              .list()
              .map(({ value }) => [{ name: value.metadata?.name ?? '' }, isAvailable(value as APIService) ? 0 : 1])
          : [],
    ),
    lookedUp('gauge', 'kubernetes_build_info', 'What was built, always 1.', () => [
      [
        {
          major: version.major,
          minor: version.minor,
          git_version: version.gitVersion,
          git_commit: version.gitCommit,
          git_tree_state: version.gitTreeState,
          build_date: version.buildDate,
          go_version: version.goVersion,
          compiler: version.compiler,
          platform: version.platform,
        },
        1,
      ],
    ]),
  ]
}
