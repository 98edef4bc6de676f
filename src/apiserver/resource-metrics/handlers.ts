/**
 * metrics.k8s.io: what nodes and pods use now, for `kubectl top` and autoscalers, as metrics-server answers. A server
 * that is registered for the group takes its place.
 */
import type { Node, Pod } from '../../api/generated/types/core-v1.ts'
import { NodeMetrics } from '../../api/kinds/metrics/node-metrics.ts'
import { PodMetrics } from '../../api/kinds/metrics/pod-metrics.ts'
import { Encoded } from '../../api/machinery/encoded.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { notFound } from '../../api/machinery/status-error.ts'
import { formatDuration, rfc3339 } from '../../api/machinery/time.ts'
import type { Clock } from '../../lib/clock.ts'
import { listOptions, selectionOf } from '../handlers/list-options.ts'
import type { KindReader } from '../registry/registry.ts'
import type { Handler, ServerRequest } from '../request.ts'
import type { Sampler } from './sampler.ts'
import type { NodeUsage, Usage } from './usage.ts'

export interface ResourceMetricsDeps {
  readonly nodes: KindReader
  readonly pods: KindReader
  readonly sampler: Sampler
  readonly clock: Pick<Clock, 'now'>
}

type Metrics = NodeMetrics | PodMetrics
type Named = Pick<Kind, 'kind' | 'apiVersion'>

const encoded = (object: Metrics) => new Encoded(Buffer.from(JSON.stringify(object)), 0, object as KubeObject)

/** Which objects a list is about: those that the request selects, by the labels of what they are of. */
function selected(request: ServerRequest, of: KindReader): readonly Encoded[] {
  const { namespace, name, matches } = selectionOf(request.kind!, request.info.namespace, listOptions(request, false))
  return of
    .list(namespace)
    .filter(({ value }) => !name || value.metadata?.name === name)
    .filter(each => !matches || matches(each))
}

/** Whether a node can be expected to answer. */
const answers = ({ status }: Node) => status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'Unknown'

/** Handlers of list and get, by kind key. */
export function resourceMetricsHandlers(deps: ResourceMetricsDeps): readonly [key: string, Handler][] {
  const { nodes, pods, sampler, clock } = deps

  const head = (
    { kind, apiVersion }: Named,
    { metadata = {} }: KubeObject,
    { timestamp, window }: Pick<Usage, 'timestamp' | 'window'>,
  ) => ({
    kind,
    apiVersion,
    metadata: {
      name: metadata.name!,
      ...(metadata.namespace && { namespace: metadata.namespace }),
      creationTimestamp: rfc3339(clock.now()),
      ...(metadata.labels && { labels: metadata.labels }),
    },
    timestamp: rfc3339(timestamp),
    window: formatDuration(window),
  })

  /** What each of the nodes says, by name; all are asked at once. */
  async function usageOf(names: Iterable<string>): Promise<ReadonlyMap<string, NodeUsage | undefined>> {
    sampler.retain(new Set(nodes.list().map(({ value }) => value.metadata?.name ?? '')))
    const asked = [...new Set(names)].filter(name => {
      const node = nodes.get('', name)?.value as Node | undefined
      return node && answers(node)
    })
    return new Map(await Promise.all(asked.map(async name => [name, await sampler.usage(name)] as const)))
  }

  async function ofNodes(objects: readonly Node[]): Promise<NodeMetrics[]> {
    const usages = await usageOf(objects.map(({ metadata }) => metadata?.name ?? ''))
    return objects.flatMap(node => {
      const usage = usages.get(node.metadata?.name ?? '')?.node
      return usage ? [{ ...head(NodeMetrics, node, usage), usage: usage.resources }] : []
    })
  }

  async function ofPods(objects: readonly Pod[]): Promise<PodMetrics[]> {
    const running = objects.filter(({ status }) => status?.phase === 'Running')
    const usages = await usageOf(running.map(({ spec }) => spec?.nodeName ?? ''))
    return running.flatMap(pod => {
      const { namespace, name } = pod.metadata ?? {}
      const usage = usages.get(pod.spec?.nodeName ?? '')?.pods.get(`${namespace}/${name}`)
      return usage ? [{ ...head(PodMetrics, pod, usage), containers: usage.containers }] : []
    })
  }

  /** `of` makes the metrics of objects, and leaves out those of which nothing is known. */
  const handler =
    <T extends KubeObject>(reader: KindReader, of: (objects: readonly T[]) => Promise<Metrics[]>): Handler =>
    async request => {
      const { namespace, name, verb } = request.info
      const { apiVersion, group, kind, listKind, plural, namespaced } = request.kind!
      if (verb === 'list') {
        const items = await of(selected(request, reader).map(each => each.value as T))
        const list = { apiVersion, kind: listKind, metadata: {}, items: items.map(encoded), untyped: true }
        return { type: 'list', status: 200, ...list }
      }
      const object = reader.get(namespace, name)?.value as T | undefined
      if (!object) throw notFound({ group: '', plural }, name)
      const [found] = await of([object])
      if (!found) throw notFound({ group, plural: kind.toLowerCase() }, namespaced ? `${namespace}/${name}` : name)
      return { type: 'object', status: 200, object: encoded(found) }
    }

  return [
    [NodeMetrics.key, handler(nodes, ofNodes)],
    [PodMetrics.key, handler(pods, ofPods)],
  ]
}
