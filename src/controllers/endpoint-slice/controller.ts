/** Keeps EndpointSlices in step with the pods behind each Service. */
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { Service } from '../../api/kinds/core/service.ts'
import { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts'
import { defineController, read, watch } from '../../control/controller.ts'
import { podsByNode } from '../pods-by-node.ts'
import { servicesOf } from '../service-pods.ts'
import { servicesOfNode } from './nodes.ts'
import { absent, reconcile } from './reconcile.ts'

export const endpointSliceController = defineController<Service>({
  name: 'endpoint-slice-controller',
  queue: 'endpoint_slice',
  for: Service,
  owns: [EndpointSlice],
  watches: [watch(Pod, servicesOf), watch(Node, servicesOfNode)],
  reads: [read(Pod, { node: podsByNode })],
  reconcile,
  absent,
})
