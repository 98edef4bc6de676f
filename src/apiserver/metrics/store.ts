/** Writes to the store, under the names that dashboards have for etcd's. */
import type { Clock } from '../../lib/clock.ts'
import { counter, type Family, histogram } from '../../lib/metrics.ts'
import type { Op, Store } from '../../store/store.ts'
import { splitKey } from '../registry/store-key.ts'
import { SECONDS } from './requests.ts'

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
  return {
    families: [requests, errors, durations],
    store: Object.assign(Object.create(store) as Store, {
      commit(...args: Parameters<Store['commit']>) {
        const [op] = args[0]
        const of = op ? ([operationOf(op), ...resourceOf(op.key)] as const) : ['', '', '']
        const start = clock.elapsed()
        const done = () => durations.at(...of).observe((clock.elapsed() - start) / 1000)
        requests.at(...of).value++
        const result = store.commit(...args)
        result.then(done, () => {
          errors.at(...of).value++
          done()
        })
        return result
      },
    }),
  }
}
