/**
 * How fast pods of processes start, restart, are replaced, scale and roll, seen through watches. The baseline of a start
 * is Node spawning the same command with nothing around it. `node bench/pods.ts [--n 15]`; with --kubeconfig FILE and
 * --image IMAGE it drives another cluster's containers by the same program.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { connectBench } from './lib/cluster.ts'
import { createFollower, isReady } from './lib/follow.ts'
import { measure, median, quantile, type Row, sleep, table } from './lib/measure.ts'
import { startTutti } from './lib/targets.ts'

const { values } = parseArgs({
  options: { n: { type: 'string', default: '15' }, kubeconfig: { type: 'string' }, image: { type: 'string' } },
})
const N = Number(values.n)

interface Pod {
  metadata: { name: string; uid: string; deletionTimestamp?: string }
  status?: { conditions?: { type: string; status: string }[]; containerStatuses?: { restartCount: number }[] }
}
interface Deployment {
  metadata: { name: string; generation: number }
  status?: { observedGeneration?: number; readyReplicas?: number; updatedReplicas?: number; replicas?: number }
}

const target = values.kubeconfig ? undefined : await startTutti()
const cluster = connectBench('Tutti', values.kubeconfig ?? target!.kubeconfig, 1)
const namespace = `pods-${process.pid}`
const podsPath = `/api/v1/namespaces/${namespace}/pods`
const deploymentsPath = `/apis/apps/v1/namespaces/${namespace}/deployments`
await cluster.call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
await sleep(500)

const { follow, until } = createFollower(cluster)
const pods = follow<Pod>(podsPath)
const deployments = follow<Deployment>(deploymentsPath)
await sleep(300)

const container = (mark: string, part: object = {}) => ({
  name: 'c',
  image: values.image ?? 'host',
  command: ['sleep', '36000'],
  env: [{ name: 'MARK', value: mark }],
  ...part,
})
const spec = (one: object) => ({
  ...(values.image ? {} : { runtimeClassName: 'process' }),
  terminationGracePeriodSeconds: 1,
  containers: [one],
})
const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: spec(container(`${namespace}-${name}`)),
})
const deployment = (name: string, replicas: number, one: object) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: spec(one) },
  },
})
const settled = (name: string, n: number, after = 0) => {
  const found = deployments.get(name)
  const status = found?.status
  return (
    found !== undefined &&
    found.metadata.generation > after &&
    (status?.observedGeneration ?? 0) >= found.metadata.generation &&
    status?.readyReplicas === n &&
    status.updatedReplicas === n &&
    status.replicas === n
  )
}
/** Processes that carry a mark in their environment, without the shells around them. */
const marked = (mark: string) =>
  readdirSync('/proc').filter(entry => {
    try {
      return (
        /^\d+$/.test(entry) &&
        readFileSync(`/proc/${entry}/environ`, 'latin1').split('\0').includes(`MARK=${mark}`) &&
        readFileSync(`/proc/${entry}/cmdline`, 'latin1').startsWith('sleep\0')
      )
    } catch {
      return false
    }
  })
const gone = () => until('the pods to go', () => pods.size === 0)

const starts: number[] = []
for (let i = 0; i < N; i++) {
  const began = performance.now()
  await cluster.call('POST', podsPath, pod(`p${i}`))
  starts.push((await until(`p${i} ready`, () => isReady(pods.get(`p${i}`)))) - began)
  await cluster.call('DELETE', `${podsPath}/p${i}?gracePeriodSeconds=0`)
  await gone()
}

const heals: number[] = []
for (let i = 0; i < N; i++) {
  const name = `k${i}`
  await cluster.call('POST', podsPath, pod(name))
  await until(`${name} ready`, () => isReady(pods.get(name)))
  await sleep(300)
  const victims = marked(`${namespace}-${name}`)
  if (victims.length === 0) throw new Error(`no process of ${name} was found`)
  const began = performance.now()
  for (const pid of victims) process.kill(Number(pid), 'SIGKILL')
  heals.push(
    (await until(
      `${name} restarted`,
      () => isReady(pods.get(name)) && pods.get(name)?.status?.containerStatuses?.[0]?.restartCount === 1,
    )) - began,
  )
  await cluster.call('DELETE', `${podsPath}/${name}?gracePeriodSeconds=0`)
  await gone()
}

const replaced: number[] = []
await cluster.call('POST', deploymentsPath, deployment('r', 1, container('r')))
await until('r', () => settled('r', 1))
for (let i = 0; i < N; i++) {
  const old = [...pods.values()].find(each => isReady(each) && !each.metadata.deletionTimestamp)!
  const began = performance.now()
  await cluster.call('DELETE', `${podsPath}/${old.metadata.name}`)
  replaced.push(
    (await until('the replacement', () =>
      [...pods.values()].some(each => each.metadata.uid !== old.metadata.uid && isReady(each)),
    )) - began,
  )
  await until('one pod', () => pods.size === 1)
}
await cluster.call('DELETE', `${deploymentsPath}/r`)
await gone()

const scaled: number[] = []
const more: number[] = []
for (let i = 0; i < 3; i++) {
  const name = `s${i}`
  let began = performance.now()
  await cluster.call('POST', deploymentsPath, deployment(name, 20, container(name)))
  scaled.push((await until('20 ready', () => settled(name, 20))) - began)
  const { generation } = deployments.get(name)!.metadata
  began = performance.now()
  await cluster.call(
    'PATCH',
    `${deploymentsPath}/${name}`,
    { spec: { replicas: 60 } },
    { contentType: 'application/merge-patch+json' },
  )
  more.push((await until('60 ready', () => settled(name, 60, generation))) - began)
  await cluster.call('DELETE', `${deploymentsPath}/${name}`)
  await gone()
}

const rolled: number[] = []
const web = container('u', {
  command: ['node', '-e', 'require("http").createServer((q,s)=>s.end()).listen(process.env.PORT||8080)'],
  ports: [{ containerPort: 8080 }],
  readinessProbe: { httpGet: { path: '/', port: 8080 } },
})
await cluster.call('POST', deploymentsPath, deployment('u', 10, web))
await until('u', () => settled('u', 10))
for (let i = 0; i < 5; i++) {
  const { generation } = deployments.get('u')!.metadata
  const began = performance.now()
  await cluster.call(
    'PATCH',
    `${deploymentsPath}/u`,
    { spec: { template: { metadata: { annotations: { v: String(i) } } } } },
    { contentType: 'application/merge-patch+json' },
  )
  rolled.push((await until('the roll', () => settled('u', 10, generation))) - began)
  await until('the old ones to go', () => pods.size === 10)
}
await cluster.call('DELETE', `/api/v1/namespaces/${namespace}`)
cluster.close()
await target?.stop()

/** The baseline: the same command with nothing around it, until it runs. */
const bare = await measure(
  N,
  1,
  () =>
    new Promise<void>((resolve, reject) => {
      const child = spawn('sleep', ['36000'])
      child.once('spawn', () => {
        child.kill('SIGKILL')
        child.once('exit', () => resolve())
      })
      child.once('error', reject)
    }),
)
const p99 = (all: number[]) =>
  quantile(
    [...all].sort((a, b) => a - b),
    0.99,
  )
const row = (what: string, value: number, baseline?: number): Row => ({
  what,
  unit: 'ms',
  lessIsBetter: true,
  figures: { Tutti: value, ...(baseline ? { 'bare spawn and kill': baseline } : {}) },
})
console.log(
  table([
    row(`pod created → Ready, median of ${N}`, median(starts), bare.p50),
    row('pod created → Ready, p99', p99(starts)),
    row('process killed → Ready again, median', median(heals)),
    row('process killed → Ready again, p99', p99(heals)),
    row('pod deleted → replacement Ready, median', median(replaced)),
    row('Deployment of 20 → all Ready, median of 3', median(scaled)),
    row('20 → 60, median of 3', median(more)),
    row('rolling update of 10 with a readiness probe, median of 5', median(rolled)),
  ]),
)
process.exit(0)
