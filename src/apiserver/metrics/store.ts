/** Writes to the store, under the names that dashboards have for etcd's. */
import type { Clock } from '../../lib/clock.ts'
import { type Count, counter, type Distribution, type Family, histogram } from '../../lib/metrics.ts'
import type { Op, Store } from '../../store/store.ts'
import { splitKey, storeKey } from '../registry/store-key.ts'
import { SECONDS } from './requests.ts'

/** The numbers of all commits that are alike. */
interface Series {
  readonly requests: Count
  readonly duration: Distribution
  failed(): void
}

const operationOf = (op: Op) => (op.type === 'delete' ? 'delete' : op.expect === 0 ? 'create' : 'update')

/** Group and plural of the object that a key is of. */
function resourceOf(key: string): readonly [group: string, resource: string] {
  const [group = '', resource = ''] = splitKey(key)?.resource.split('/') ?? []
  return [group === 'core' ? '' : group, resource]
}

/** The store, with its commits counted and timed. */
export function meteredStore(store: Store, clock: Clock): { readonly store: Store; readonly families: Family[] } {
  const labels = ['operation', 'group', 'resource']
  const requests = counter('etcd_requests_total', 'Requests to the store.', labels)
  const errors = counter('etcd_request_errors_total', 'Requests to the store that failed.', labels)
  const durations = histogram('etcd_request_duration_seconds', 'Time of requests to the store.', labels, SECONDS)
  const series = new Map<string, Series>()
  /** The last of each operation: writes of one kind come in rows. */
  const last: Record<string, { readonly prefix: string; readonly of: Series } | undefined> = {}
  function seriesOf(op: Op | undefined): Series {
    const operation = op ? operationOf(op) : ''
    const before = last[operation]
    if (op && before && op.key.startsWith(before.prefix)) return before.of
    const resource = op && splitKey(op.key)?.resource
    const kept = `${operation} ${resource}`
    let found = series.get(kept)
    if (!found) {
      const of = op ? ([operation, ...resourceOf(op.key)] as const) : ['', '', '']
      found = { requests: requests.at(...of), duration: durations.at(...of), failed: () => errors.at(...of).value++ }
      series.set(kept, found)
    }
    if (resource) last[operation] = { prefix: storeKey(resource, '', ''), of: found }
    return found
  }
  return {
    families: [requests, errors, durations],
    store: Object.assign(Object.create(store) as Store, {
      commit(...args: Parameters<Store['commit']>) {
        const of = seriesOf(args[0][0])
        const start = clock.elapsed()
        const done = () => of.duration.observe((clock.elapsed() - start) / 1000)
        of.requests.value++
        const result = store.commit(...args)
        result.then(done, () => {
          of.failed()
          done()
        })
        return result
      },
    }),
  }
}
