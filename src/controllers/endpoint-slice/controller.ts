/** Keeps EndpointSlices in step with the pods behind each Service. */
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { Service } from '../../api/kinds/core/service.ts'
import { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts'
import { defineController, watch } from '../../control/controller.ts'
import { servicesOf } from '../service-pods.ts'
import { absent, reconcile, topologyServices } from './reconcile.ts'

export const endpointSliceController = defineController<Service>({
  name: 'endpoint-slice-controller',
  queue: 'endpoint_slice',
  for: Service,
  owns: [EndpointSlice],
  watches: [watch(Pod, servicesOf), watch(Node, topologyServices)],
  reconcile,
  absent,
})
