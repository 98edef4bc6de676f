/** The three metrics APIs, as any client asks them: resources of pods, custom metrics of objects, external ones. */
import type { CrossVersionObjectReference } from '../../api/generated/types/autoscaling-v2.ts'
import { PodMetrics } from '../../api/kinds/metrics/pod-metrics.ts'
import { type LabelSelector, type Selector, selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import { milliValue } from '../../api/machinery/quantity.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { parseDuration, parseTime } from '../../api/machinery/time.ts'
import { type Client, send } from '../../client/client.ts'
import type { ServedKinds } from '../served-kinds.ts'
import type { Sample, Samples } from './replicas.ts'
import { resourceOf } from './resource-of.ts'
import { saying } from './saying.ts'

const CUSTOM = 'custom.metrics.k8s.io'
const EXTERNAL = 'external.metrics.k8s.io'
/** Of a custom metric that does not say, ms. */
const WINDOW = 60_000

/** A metric by its name, and which of its series. */
export interface Metric {
  readonly name: string
  readonly selector?: LabelSelector | undefined
}

/** Amounts are thousandths. All reject with sentences for conditions and events. */
export interface Metrics {
  /** What pods use of a resource; `container`: what that container of each uses. */
  resource(namespace: string, pods: Selector, resource: string, container: string | undefined): Promise<Samples>
  ofPods(namespace: string, pods: Selector, metric: Metric): Promise<Samples>
  ofObject(namespace: string, object: CrossVersionObjectReference, metric: Metric): Promise<number>
  /** The sum of its series. */
  external(namespace: string, metric: Metric): Promise<number>
}

/** custom.metrics.k8s.io MetricValue and external.metrics.k8s.io ExternalMetricValue, as far as they are read. */
interface Value {
  readonly describedObject?: { readonly name?: string }
  readonly timestamp?: string
  readonly windowSeconds?: number
  readonly value: string
}

/** Runs `work`; its error says which API it came of. */
const from = <T>(api: string, work: () => Promise<T>): Promise<T> =>
  saying(`unable to fetch metrics from ${api} metrics API`, work)

/** What of a pod's metrics is of the resource; undefined where a container does not tell. */
function usedBy({ containers, timestamp, window }: PodMetrics, resource: string, container: string | undefined) {
  const asked = container === undefined ? containers : containers.filter(({ name }) => name === container)
  const amounts = asked.map(({ usage }) => usage[resource])
  if (!amounts.length || amounts.includes(undefined)) return undefined
  const value = amounts.reduce((sum, each) => sum + milliValue(each!), 0)
  return { value, time: parseTime(timestamp) ?? 0, window: parseDuration(window) } satisfies Sample
}

export function createMetrics(client: Client, served: Pick<ServedKinds, 'list' | 'find'>): Metrics {
  /** The path of the group's version that its server prefers. */
  async function root(group: string, api: string): Promise<string> {
    try {
      const { object } = await send(client.transport, { method: 'GET', path: `/apis/${group}` })
      const { preferredVersion } = object as { preferredVersion?: { groupVersion?: string } }
      if (preferredVersion?.groupVersion) return `/apis/${preferredVersion.groupVersion}`
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 404) throw error
    }
    throw new Error(`no ${api} metrics API (${group}) registered`)
  }
  async function values(path: string, query: Record<string, string>): Promise<readonly Value[]> {
    const { object } = await send(client.transport, { method: 'GET', path, query })
    return (object as { items?: readonly Value[] }).items ?? []
  }
  const custom = (path: string, query: Record<string, string>) =>
    from('custom', async () => {
      const found = await values(`${await root(CUSTOM, 'custom')}/${path}`, query)
      if (!found.length) throw new Error('no metrics returned from custom metrics API')
      return found
    })
  const seriesOf = ({ selector }: Metric, parameter: string): Record<string, string> =>
    selector ? { [parameter]: selectorFromLabelSelector(selector).toString() } : {}

  return {
    async resource(namespace, pods, resource, container) {
      const { items } = await from('resource', () =>
        client.kind<PodMetrics>(PodMetrics).list({ namespace, labelSelector: pods.toString() }),
      )
      if (!items.length) throw new Error('no metrics returned from resource metrics API')
      return new Map(
        items.flatMap(each => {
          const sample = usedBy(each, resource, container)
          return sample ? [[each.metadata?.name ?? '', sample] as const] : []
        }),
      )
    },
    async ofPods(namespace, pods, metric) {
      const query = { labelSelector: pods.toString(), ...seriesOf(metric, 'metricLabelSelector') }
      const found = await custom(`namespaces/${namespace}/pods/*/${metric.name}`, query)
      return new Map(
        found.map(({ describedObject, timestamp, windowSeconds, value }) => [
          describedObject?.name ?? '',
          {
            value: milliValue(value),
            time: parseTime(timestamp) ?? 0,
            window: windowSeconds === undefined ? WINDOW : windowSeconds * 1_000,
          },
        ]),
      )
    },
    async ofObject(namespace, object, metric) {
      const query = seriesOf(metric, 'metricLabelSelector')
      const { kind, name } = object
      const { group, plural } = resourceOf(served, object)
      const path =
        group === '' && kind === 'Namespace'
          ? `namespaces/${namespace}/metrics/${metric.name}`
          : `namespaces/${namespace}/${group ? `${plural}.${group}` : plural}/${name}/${metric.name}`
      const [first] = await custom(path, query)
      return milliValue(first!.value)
    },
    async external(namespace, metric) {
      const found = await from('external', async () => {
        const path = `${await root(EXTERNAL, 'external')}/namespaces/${namespace}/${metric.name}`
        const series = await values(path, seriesOf(metric, 'labelSelector'))
        if (!series.length) throw new Error('no metrics returned from external metrics API')
        return series
      })
      return found.reduce((sum, { value }) => sum + milliValue(value), 0)
    },
  }
}
