/**
 * Decisions per second over simulated nodes, in process and without the API: what the scheduler itself can do. The
 * baseline is the same plugins without remembered results: every pod looks at every node.
 * `node bench/scheduler.ts`
 */
import type { Pod } from '../src/api/kinds/core/pod.ts'
import { createCycle } from '../src/scheduler/cycle.ts'
import { plugins } from '../src/scheduler/plugins/all.ts'
import { podInfoOf } from '../src/scheduler/pod-info.ts'
import { bench, nodeOf, podOf } from '../src/scheduler/scheduler.fixture.ts'
import { type Row, table } from './lib/measure.ts'

const BASELINE = 'every pod, every node'
const ZONES = 3
const HOSTNAME = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'

type MakePod = (index: number) => Pod

const requests = { cpu: '100m', memory: '128Mi' }
const inApp = (name: string, app: string, affinity: NonNullable<Pod['spec']>['affinity'] = {}) =>
  podOf(name, { labels: { app }, owner: app, requests, spec: { affinity } })
const term = (app: string, topologyKey: string) => ({
  requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app } }, topologyKey }],
})
const spread = (topologyKey: string) => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: 'DoNotSchedule' as const,
  labelSelector: { matchLabels: { app: 'web' } },
})

const workloads: { what: string; pods: number; make: MakePod }[] = [
  { what: 'one Deployment', pods: 10_000, make: at => inApp(`p${at}`, 'web') },
  { what: '100 Deployments in turns', pods: 10_000, make: at => inApp(`p${at}`, `app${at % 100}`) },
  {
    what: 'required anti-affinity by host',
    pods: 900,
    make: at => inApp(`p${at}`, 'web', { podAntiAffinity: term('web', HOSTNAME) }),
  },
  {
    what: 'required affinity by zone',
    pods: 3000,
    make: at => inApp(`p${at}`, 'web', { podAffinity: term('web', ZONE) }),
  },
  {
    what: 'spread over zones, skew 1',
    pods: 3000,
    make: at =>
      podOf(`p${at}`, { labels: { app: 'web' }, requests, spec: { topologySpreadConstraints: [spread(ZONE)] } }),
  },
]

function cluster(nodes: number) {
  const made = bench()
  for (let at = 0; at < nodes; at++) {
    made.snapshot.setNode(
      nodeOf(`node-${at}`, { labels: { [ZONE]: `zone-${at % ZONES}` }, allocatable: { cpu: '32', memory: '64Gi' } }),
    )
  }
  return made
}

/** Pods per second. */
function rate(nodes: number, pods: number, make: MakePod, remembers: boolean): number {
  const { snapshot, view, cycle } = cluster(nodes)
  const all = Array.from({ length: pods }, (_, at) => make(at))
  const began = performance.now()
  for (const pod of all) {
    const info = podInfoOf(pod)
    const decision = (remembers ? cycle : createCycle(view, plugins)).decide(info)
    if ('refusal' in decision) throw new Error(decision.refusal.message)
    snapshot.addPod(info, decision.nodeName)
  }
  return (pods / (performance.now() - began)) * 1000
}

const rows: Row[] = []
for (const nodes of [1000, 5000]) {
  for (const { what, pods, make } of workloads) {
    const figures = {
      tutti: rate(nodes, pods, make, true),
      [BASELINE]: rate(nodes, Math.ceil(40_000 / nodes), make, false),
    }
    rows.push({ what: `${nodes} nodes: ${what}`, unit: 'pods/s', figures })
  }
}
console.log(table(rows))
