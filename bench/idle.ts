/**
 * What an idle cluster costs: CPU over a minute and memory, with nothing in it and with 20 pods at rest. Beside a real
 * control plane (without a node) where KUBERNETES_BIN is set. `node bench/idle.ts [--seconds 60]`
 */
import { parseArgs } from 'node:util'
import { connectBench } from './lib/cluster.ts'
import { type Row, sleep, table } from './lib/measure.ts'
import { cpuSeconds, memoryBytes } from './lib/processes.ts'
import { peerFolder, startKubernetes, startTutti, type Target } from './lib/targets.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, pods: { type: 'string', default: '20' } },
})
const seconds = Number(values.seconds)
const PODS = Number(values.pods)

async function watchIdle({ pids }: Target) {
  await sleep(5000)
  const before = cpuSeconds(pids)
  await sleep(seconds * 1000)
  return { cpu: ((cpuSeconds(pids) - before) / seconds) * 100, ...memoryBytes(pids) }
}

const figures: {
  empty: Record<string, Awaited<ReturnType<typeof watchIdle>>>
  full?: Awaited<ReturnType<typeof watchIdle>>
} = { empty: {} }
const own = await startTutti()
figures.empty.Tutti = await watchIdle(own)
const cluster = connectBench('Tutti', own.kubeconfig, 1)
const container = { name: 'c', image: 'host', command: ['sleep', '36000'] }
await cluster.call('POST', '/apis/apps/v1/namespaces/default/deployments', {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'rest' },
  spec: {
    replicas: PODS,
    selector: { matchLabels: { app: 'rest' } },
    template: {
      metadata: { labels: { app: 'rest' } },
      spec: { runtimeClassName: 'process', terminationGracePeriodSeconds: 1, containers: [container] },
    },
  },
})
for (;;) {
  const { status } = JSON.parse(
    (await cluster.call('GET', '/apis/apps/v1/namespaces/default/deployments/rest', undefined, { keep: true })).text(),
  )
  if (status?.readyReplicas === PODS) break
  await sleep(100)
}
cluster.close()
figures.full = await watchIdle(own)
await own.stop()
const bin = peerFolder()
if (bin) {
  const peer = await startKubernetes(bin, { controllers: true })
  await sleep(10_000)
  figures.empty[peer.name] = await watchIdle(peer)
  await peer.stop()
}
const pick = (of: (each: Awaited<ReturnType<typeof watchIdle>>) => number) =>
  Object.fromEntries(Object.entries(figures.empty).map(([name, each]) => [name, of(each)]))
const rows: Row[] = [
  { what: `CPU, empty, over ${seconds} s`, unit: '% of a core', lessIsBetter: true, figures: pick(each => each.cpu) },
  { what: 'memory, empty, resident', unit: 'MB', lessIsBetter: true, figures: pick(each => each.rss / 1e6) },
  { what: `CPU, ${PODS} pods at rest`, unit: '% of a core', lessIsBetter: true, figures: { Tutti: figures.full.cpu } },
  {
    what: `memory, ${PODS} pods at rest, resident`,
    unit: 'MB',
    lessIsBetter: true,
    figures: { Tutti: figures.full.rss / 1e6 },
  },
]
console.log(table(rows))
process.exit(0)
