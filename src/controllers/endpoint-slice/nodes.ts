/** What nodes have to do with the endpoints of services: those of a node that does not exist are left out. */
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { Service } from '../../api/kinds/core/service.ts'
import { keyOf, type ObjectKey } from '../../client/informer-types.ts'
import type { View } from '../../control/controller.ts'
import type { Note } from '../../control/plan.ts'
import { equalJson } from '../../lib/json.ts'
import { servicesOf } from '../service-pods.ts'
import { wantsTopology } from './topology.ts'

const LEFT_OUT = 'left out'

/** What was told of services some of whose pods are left out. */
function leftOut({ memory }: View): Map<ObjectKey, string> {
  const known = memory.get(LEFT_OUT) as Map<ObjectKey, string> | undefined
  if (known) return known
  const made = new Map<ObjectKey, string>()
  memory.set(LEFT_OUT, made)
  return made
}

/** Forgets what was told of a service. */
export const forgetLeftOut = (service: ObjectKey, view: View) => void leftOut(view).delete(service)

/**
 * The pods of a service that are on nodes that exist, and what to tell of the others, once. A service that publishes
 * addresses that are not ready publishes these as well. (Upstream says the same at every retry of the service; here the
 * node's return wakes it.)
 */
export function onNodes(service: Service, pods: readonly Pod[], view: View): { pods: readonly Pod[]; notes: Note[] } {
  const key = keyOf(service)
  const nodes = view.of(Node)
  const isPresent = ({ spec }: Pod) => nodes.get(spec?.nodeName ?? '') !== undefined
  const present = service.spec?.publishNotReadyAddresses ? pods : pods.filter(isPresent)
  if (present.length === pods.length) {
    forgetLeftOut(key, view)
    return { pods, notes: [] }
  }
  const skipped = pods
    .filter(pod => !isPresent(pod))
    .map(
      ({ metadata, spec }) =>
        `skipping Pod ${metadata?.name} for Service ${key}: Node ${spec?.nodeName ?? ''} Not Found`,
    )
  const text = skipped.length > 1 ? `[${skipped.join(', ')}]` : skipped.join()
  const isTold = leftOut(view).get(key) === text
  leftOut(view).set(key, text)
  return { pods: present, notes: isTold ? [] : [updateFailed(service, text)] }
}

/** That the slices of a service are not what they should be. */
export const updateFailed = (service: Service, why: string): Note => ({
  target: service,
  type: 'Warning',
  reason: 'FailedToUpdateEndpointSlices',
  message: `Error updating Endpoint Slices for Service ${keyOf(service)}: ${why}`,
})

/** Services that a change of a node concerns: those of its pods where it goes or comes back, and those of zones. */
export function servicesOfNode(
  { previous, current }: { readonly previous: Node | undefined; readonly current: Node | undefined },
  view: View,
): ObjectKey[] {
  const shown = (node: Node | undefined) =>
    node && [isReady(node), node.metadata?.labels, node.status?.allocatable?.cpu]
  if (equalJson(shown(previous), shown(current))) return []
  const services = view.of(Service).list()
  const byZone = services.filter(({ metadata }) => wantsTopology(metadata?.annotations)).map(keyOf)
  if (!previous) return [...byZone, ...leftOut(view).keys()]
  if (current) return byZone
  const pods = view.of(Pod).byIndex('node', previous.metadata?.name ?? '')
  return [...byZone, ...pods.flatMap(pod => servicesOf({ previous: undefined, current: pod }, view))]
}
