/** What `tutti why` looks at: the object, its pods, their newest events. */
import type { Deployment } from '../../api/kinds/apps/deployment.ts'
import type { Event } from '../../api/kinds/core/event.ts'
import type { Pod } from '../../api/kinds/core/pod.ts'
import type { Service } from '../../api/kinds/core/service.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { Transport } from '../../client/transport.ts'
import { getList, pathOf, request } from '../api.ts'
import { UserError } from '../context.ts'
import { findTargets } from '../resources/find-kind.ts'
import { podSelectorOf } from '../resources/pods-of.ts'

export interface Facts {
  /** `deployment/web`. */
  readonly target: string
  readonly namespace: string
  readonly object: KubeObject | Deployment | Service | Pod
  readonly pods: readonly Pod[]
  /** Newest first. */
  eventsOf(object: KubeObject): readonly Event[]
}

const when = (event: Event) =>
  Date.parse(
    event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp ?? '',
  ) || 0

/** Reads what is needed, in two rounds of requests. */
export async function gatherFacts(transport: Transport, namespace: string, args: readonly string[]): Promise<Facts> {
  const targets = args.length === 1 && !args[0]!.includes('/') ? ['pods', args[0]!] : args
  const [found] = await findTargets(transport, targets)
  const name = found?.names[0]
  if (!found || !name) throw new UserError('why what?', 'For example: tutti why deploy/web')
  const scope = found.kind.namespaced ? namespace : undefined
  const object = await request<KubeObject>(transport, { method: 'GET', path: pathOf(found.kind, scope, name) })
  const selector = found.kind.plural === 'pods' ? undefined : podSelectorOf(object)
  const [pods, events] = await Promise.all([
    found.kind.plural === 'pods'
      ? [object as Pod]
      : selector
        ? getList<Pod>(transport, `/api/v1/namespaces/${namespace}/pods`, { labelSelector: selector })
        : [],
    getList<Event>(transport, scope ? `/api/v1/namespaces/${namespace}/events` : '/api/v1/events'),
  ])
  return {
    target: `${object.kind?.toLowerCase()}/${name}`,
    namespace,
    object,
    pods,
    eventsOf: ({ metadata }) =>
      events.filter(event => event.involvedObject?.uid === metadata?.uid).sort((a, b) => when(b) - when(a)),
  }
}
