import type { ServerRegistry } from '../registry/create-registry.ts'
import type { KindTable } from '../registry/kind-table.ts'
import type { InFlight } from './in-flight.ts'
import type { Gauge } from './metrics.ts'

/** What the server holds and does at the moment. */
export function serverMetrics(kinds: KindTable, registry: ServerRegistry, inFlight: InFlight): Gauge[] {
  return [
    {
      name: 'apiserver_current_inflight_requests',
      type: 'gauge',
      help: 'Requests that are being answered, by kind of request.',
      read: () => {
        const { readOnly, mutating } = inFlight.current()
        return [
          [{ request_kind: 'readOnly' }, readOnly],
          [{ request_kind: 'mutating' }, mutating],
        ]
      },
    },
    {
      name: 'apiserver_resource_objects',
      type: 'gauge',
      help: 'Stored objects, by resource.',
      read: () =>
        kinds
          .all()
          .filter(kind => !kind.virtual && !kind.storage)
          .map(kind => [{ group: kind.group, resource: kind.plural }, registry.view(kind).cache.size] as const),
    },
    {
      name: 'apiserver_watch_cache_resource_version',
      type: 'gauge',
      help: 'The revision up to which the caches are current.',
      read: () => [[{}, registry.revision()]],
    },
  ]
}
