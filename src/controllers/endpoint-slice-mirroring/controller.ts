/** Mirrors Endpoints that people keep by hand, for Services without a selector, into EndpointSlices. */
import { Endpoints } from '../../api/kinds/core/endpoints.ts'
import { Service } from '../../api/kinds/core/service.ts'
import { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts'
import { keyOf } from '../../client/informer-types.ts'
import { defineController, watch } from '../../control/controller.ts'
import { equalJson } from '../../lib/json.ts'
import { absent, reconcile } from './reconcile.ts'

export const endpointSliceMirroringController = defineController<Endpoints>({
  name: 'endpoint-slice-mirroring-controller',
  queue: 'endpoint_slice_mirroring',
  for: Endpoints,
  owns: [EndpointSlice],
  watches: [
    // Whether there are mirrors hangs on the service and its selector.
    watch(Service, ({ previous, current }, view) => {
      const isSame = previous && current && equalJson(previous.spec?.selector, current.spec?.selector)
      const key = keyOf((current ?? previous)!)
      return isSame || !view.of(Endpoints).get(key) ? [] : [key]
    }),
  ],
  reconcile,
  absent,
})
