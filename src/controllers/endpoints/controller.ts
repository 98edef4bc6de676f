/** Keeps Endpoints, the older form of EndpointSlices, in step with the pods behind each Service. */
import { Endpoints } from '../../api/kinds/core/endpoints.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { Service } from '../../api/kinds/core/service.ts'
import { keyOf } from '../../client/informer-types.ts'
import { defineController, watch } from '../../control/controller.ts'
import { servicesOf } from '../service-pods.ts'
import { absent, reconcile } from './reconcile.ts'

export const endpointsController = defineController<Service>({
  name: 'endpoint-controller',
  queue: 'endpoint',
  for: Service,
  watches: [
    watch(Pod, servicesOf),
    // What someone else changes is put right; what stands before its service does is left alone.
    watch(Endpoints, ({ previous, current }, view) => {
      const key = keyOf((current ?? previous)!)
      return previous && view.of(Service).get(key) ? [key] : []
    }),
  ],
  reconcile,
  absent,
})
