/** What nodes and pods use, from metrics.k8s.io, as rows for people. */
import type { Node } from '../../api/generated/types/core-v1.ts'
import { Node as NodeKind } from '../../api/kinds/core/node.ts'
import { NodeMetrics } from '../../api/kinds/metrics/node-metrics.ts'
import { PodMetrics } from '../../api/kinds/metrics/pod-metrics.ts'
import { milliValue, quantityValue } from '../../api/machinery/quantity.ts'
import type { Transport } from '../../client/transport.ts'
import { getList, pathOf } from '../api.ts'

/** One node or pod: its name, its namespace, and cells beginning with the name. */
export interface UsageRow {
  readonly name: string
  readonly namespace: string
  readonly cells: readonly string[]
  /** As the API says it; undefined where nothing is known. */
  readonly metrics: NodeMetrics | PodMetrics | undefined
}

export const NODE_HEADINGS = ['Name', 'CPU(cores)', 'CPU(%)', 'Memory(bytes)', 'Memory(%)'] as const
export const POD_HEADINGS = ['Name', 'CPU(cores)', 'Memory(bytes)'] as const

type Used = Readonly<Record<string, string>>

const cores = (used: Used) => milliValue(used.cpu ?? '0')
const bytes = (used: Used) => quantityValue(used.memory ?? '0')
const mebibytes = (amount: number) => `${Math.trunc(amount / 2 ** 20)}Mi`
const percent = (used: number, of: number) => (of > 0 ? `${Math.trunc((used * 100) / of)}%` : '<unknown>')
const sum = (amounts: readonly number[]) => amounts.reduce((a, b) => a + b, 0)

/** Every node, of what it has for pods; those that do not answer, too. */
export async function nodeUsage(transport: Transport, query: Record<string, string>): Promise<UsageRow[]> {
  const [used, all] = await Promise.all([
    getList<NodeMetrics>(transport, pathOf(NodeMetrics, undefined), query),
    getList<Node>(transport, pathOf(NodeKind, undefined), query),
  ])
  return all.map(({ metadata, status }) => {
    const name = metadata?.name ?? ''
    const metrics = used.find(each => each.metadata?.name === name)
    if (!metrics) return { name, namespace: '', cells: [name, ...Array<string>(4).fill('<unknown>')], metrics }
    const [cpu, memory] = [cores(metrics.usage), bytes(metrics.usage)]
    const { cpu: allCpu = '0', memory: allMemory = '0' } = status?.allocatable ?? {}
    const ofCpu = percent(cpu, milliValue(allCpu))
    const ofMemory = percent(memory, quantityValue(allMemory))
    return { name, namespace: '', cells: [name, `${cpu}m`, ofCpu, mebibytes(memory), ofMemory], metrics }
  })
}

/** The pods of a namespace, or of all, whose use is known. */
export async function podUsage(
  transport: Transport,
  namespace: string | undefined,
  query: Record<string, string>,
): Promise<UsageRow[]> {
  const used = await getList<PodMetrics>(transport, pathOf(PodMetrics, namespace), query)
  return used.map(metrics => {
    const { name = '', namespace: of = '' } = metrics.metadata ?? {}
    const usages = metrics.containers.map(({ usage }) => usage)
    const cells = [name, `${sum(usages.map(cores))}m`, mebibytes(sum(usages.map(bytes)))]
    return { name, namespace: of, cells, metrics }
  })
}
