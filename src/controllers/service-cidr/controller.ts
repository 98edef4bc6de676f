/** Networks of services: their finalizer, their readiness, and their end. */
import type { ServiceCIDR as Type } from '../../api/generated/types/networking-v1.ts'
import { IPAddress } from '../../api/kinds/networking/ip-address.ts'
import { ServiceCIDR } from '../../api/kinds/networking/service-cidr.ts'
import { keyOf } from '../../client/informer-types.ts'
import { defineController, read, type View, watch } from '../../control/controller.ts'
import { reconcile } from './reconcile.ts'

/** Those that wait for their end: only they care for what others do. */
const ending = (view: View) =>
  view
    .of<Type>(ServiceCIDR)
    .list()
    .filter(({ metadata }) => metadata?.deletionTimestamp)
    .map(keyOf)

export const serviceCidrController = defineController<Type>({
  name: 'service-cidr-controller',
  queue: 'ipaddresses',
  for: ServiceCIDR,
  watches: [
    watch(IPAddress, ({ current }, view) => (current ? [] : ending(view))),
    watch(ServiceCIDR, (_change, view) => ending(view)),
  ],
  reads: [read(IPAddress), read(ServiceCIDR)],
  reconcile: (object, view, now) =>
    reconcile(object, view.of<Type>(ServiceCIDR).list(), view.of(IPAddress).list(), now),
})
