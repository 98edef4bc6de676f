/** What requests lose when features are off. */
import { forbidden } from '../../api/machinery/field-error.ts'
import { invalid } from '../../api/machinery/status-error.ts'
import type { Filter } from '../request.ts'
import type { FeaturesOff } from './features.ts'

const LIST_OPTIONS = { group: 'meta.k8s.io', kind: 'ListOptions' }
const NO_WATCH_LIST = 'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled'

/** The filter for features that are off; undefined where all are on, which costs nothing. */
export function withoutFeatures(off: FeaturesOff): Filter | undefined {
  if (!off.has('WatchList')) return undefined
  return next => async request => {
    if (request.info.verb === 'watch' && request.query.has('sendInitialEvents'))
      throw invalid(LIST_OPTIONS, '', [forbidden('sendInitialEvents', NO_WATCH_LIST)])
    return next(request)
  }
}
