/** What `tutti why` looks at: the object, its pods, their newest events. */
import type { Deployment } from '../../api/kinds/apps/deployment.ts'
import type { Event } from '../../api/kinds/core/event.ts'
import type { Pod } from '../../api/kinds/core/pod.ts'
import type { Service } from '../../api/kinds/core/service.ts'
import type { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { Transport } from '../../client/transport.ts'
import { getList, pathOf, request } from '../api.ts'
import { UserError } from '../context.ts'
import { findTargets } from '../resources/find-kind.ts'
import { podSelectorOf } from '../resources/pods-of.ts'
import type { IngressFacts } from './ingress.ts'

export interface Facts {
  /** `deployment/web`. */
  readonly target: string
  readonly namespace: string
  readonly object: KubeObject | Deployment | Service | Pod
  readonly pods: readonly Pod[]
  /** What an Ingress names; of other kinds absent. */
  readonly ingress?: IngressFacts
  /** Newest first. */
  eventsOf(object: KubeObject): readonly Event[]
}

const when = (event: Event) =>
  Date.parse(
    event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp ?? '',
  ) || 0

/** What stands beside an Ingress in its namespace. */
async function ingressFacts(transport: Transport, namespace: string): Promise<IngressFacts> {
  const names = async (path: string) => (await getList(transport, path)).map(({ metadata }) => metadata?.name ?? '')
  const [services, slices, secrets, classes] = await Promise.all([
    getList<Service>(transport, `/api/v1/namespaces/${namespace}/services`),
    getList<EndpointSlice>(transport, `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`),
    names(`/api/v1/namespaces/${namespace}/secrets`).catch(() => undefined),
    names('/apis/networking.k8s.io/v1/ingressclasses'),
  ])
  return { services, slices, classes, ...(secrets && { secrets }) }
}

/** Reads what is needed, in two rounds of requests. */
export async function gatherFacts(transport: Transport, namespace: string, args: readonly string[]): Promise<Facts> {
  const targets = args.length === 1 && !args[0]!.includes('/') ? ['pods', args[0]!] : args
  const [found] = await findTargets(transport, targets)
  const name = found?.names[0]
  if (!found || !name) throw new UserError('why what?', 'For example: tutti why deploy/web')
  const scope = found.kind.namespaced ? namespace : undefined
  const object = await request<KubeObject>(transport, { method: 'GET', path: pathOf(found.kind, scope, name) })
  const selector = found.kind.plural === 'pods' ? undefined : podSelectorOf(object)
  const [ingress, pods, events] = await Promise.all([
    object.kind === 'Ingress' ? ingressFacts(transport, namespace) : undefined,
    found.kind.plural === 'pods'
      ? [object as Pod]
      : selector
        ? getList<Pod>(transport, `/api/v1/namespaces/${namespace}/pods`, { labelSelector: selector })
        : [],
    getList<Event>(transport, scope ? `/api/v1/namespaces/${namespace}/events` : '/api/v1/events'),
  ])
  const eventsOf = ({ metadata }: KubeObject) =>
    events.filter(event => event.involvedObject?.uid === metadata?.uid).sort((a, b) => when(b) - when(a))
  const portRefusal = ingress && eventsOf(object).find(({ reason }) => reason === 'PortNotAvailable')?.message
  return {
    target: `${object.kind?.toLowerCase()}/${name}`,
    namespace,
    object,
    pods,
    ...(ingress && { ingress: { ...ingress, ...(portRefusal && { portRefusal }) } }),
    eventsOf,
  }
}
