/**
 * How fast a cluster runs pods, through any Kubernetes API and by watches: starts, ends of processes, replacements,
 * scaling, rolling updates. The same program for every cluster. Times are in ms.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { type BenchCluster, connectBench } from './cluster.ts'
import { createFollower, isReady, type PodState } from './follow.ts'
import { sleep } from './measure.ts'

export interface PodLoadOptions {
  readonly kubeconfig: string
  /** Absent: processes of the machine's own programs, by the runtime class `process`. */
  readonly image?: string | undefined
  /** A server on port 8080. */
  readonly web: readonly string[]
  /** Addresses of services lead to pods from here: they are asked while pods are replaced. */
  readonly services: boolean
}

interface Pod extends PodState {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string }
  readonly status?: PodState['status'] & { readonly containerStatuses?: readonly { readonly restartCount: number }[] }
}
interface Deployment {
  readonly metadata: { readonly name: string; readonly generation: number }
  readonly status?: {
    readonly observedGeneration?: number
    readonly readyReplicas?: number
    readonly updatedReplicas?: number
    readonly replicas?: number
  }
}

/** Processes that carry a mark in their environment, whoever runs them, without the shells around them. */
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

/** One request on a connection of its own; whether it was answered. */
const answers = (url: string) =>
  new Promise<boolean>(resolve => {
    const request = get(url, { agent: false, timeout: 2000 }, answer => {
      answer.resume().on('end', () => resolve(answer.statusCode === 200))
    })
    request.on('timeout', () => request.destroy()).on('error', () => resolve(false))
  })

export interface PodLoad {
  readonly cluster: BenchCluster
  /** A pod created → Ready. */
  start(): Promise<number>
  /** Pods created at once → all Ready. */
  burst(count: number): Promise<number>
  /** The process of a pod killed → Ready again. */
  kill(): Promise<number>
  /** Pods of a Deployment of one deleted, so many times → another one Ready. */
  replace(times: number): Promise<number[]>
  /** A Deployment of 20 → all Ready; that made one of 60 → all Ready. */
  scale(): Promise<{ readonly twenty: number; readonly sixty: number }>
  /** Rolling updates of a Deployment of 10 with a readiness probe, asked through its service all along. */
  roll(times: number): Promise<{ readonly took: readonly number[]; readonly asked: number; readonly failed: number }>
  /** Makes a Deployment, and waits for it. */
  rest(count: number): Promise<void>
  /** Removes everything. */
  close(): Promise<void>
}

/** Opens it, in a namespace of its own. */
export async function openPodLoad({ kubeconfig, image, web, services }: PodLoadOptions): Promise<PodLoad> {
  const cluster = connectBench('load', kubeconfig, 1)
  const namespace = `load-${process.pid}`
  const at = `namespaces/${namespace}`
  const podsPath = `/api/v1/${at}/pods`
  const deploymentsPath = `/apis/apps/v1/${at}/deployments`
  await cluster.call('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  })
  const { follow, until } = createFollower(cluster)
  const accounts = follow(`/api/v1/${at}/serviceaccounts`)
  const pods = follow<Pod>(podsPath)
  const deployments = follow<Deployment>(deploymentsPath)
  await until('the account of the namespace', () => accounts.has('default'))
  let count = 0

  const spec = (mark: string, part: object = {}) => ({
    ...(image ? {} : { runtimeClassName: 'process' }),
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'c',
        image: image ?? 'host',
        command: ['sleep', '36000'],
        env: [{ name: 'MARK', value: mark }],
        ...part,
      },
    ],
  })
  const createPod = (name: string) =>
    cluster.call('POST', podsPath, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: spec(`${namespace}-${name}`),
    })
  const removePod = (name: string) => cluster.call('DELETE', `${podsPath}/${name}?gracePeriodSeconds=0`)
  const gone = () => until('the pods to go', () => pods.size === 0, 120_000)
  const deploy = (name: string, replicas: number, part?: object) =>
    cluster.call('POST', deploymentsPath, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec: spec(name, part) },
      },
    })
  const patch = (name: string, change: object) =>
    cluster.call(
      'PATCH',
      `${deploymentsPath}/${name}`,
      { spec: change },
      { contentType: 'application/merge-patch+json' },
    )
  /** When the Deployment has so many pods of its present kind, and no others. */
  const settled = (name: string, n: number, after = 0) =>
    until(
      `${n} pods of ${name}`,
      () => {
        const { metadata, status } = deployments.get(name) ?? {}
        return (
          metadata !== undefined &&
          metadata.generation > after &&
          (status?.observedGeneration ?? 0) >= metadata.generation &&
          status?.readyReplicas === n &&
          status.updatedReplicas === n &&
          status.replicas === n
        )
      },
      120_000,
    )
  const generation = (name: string) => deployments.get(name)!.metadata.generation
  async function end(name: string) {
    await cluster.call('DELETE', `${deploymentsPath}/${name}`)
    await gone()
    // What the runtime has left to do for them.
    await sleep(1000)
  }

  /** Makes a service, and asks it until told to stop. */
  async function askThrough(name: string) {
    const answer = await cluster.call(
      'POST',
      `/api/v1/${at}/services`,
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
      },
      { keep: true },
    )
    const url = `http://${JSON.parse(answer.text()).spec.clusterIP}/`
    for (let tries = 0; !(await answers(url)); tries++) {
      if (tries > 500) throw new Error(`nothing answers at ${url}`)
      await sleep(20)
    }
    let going = true
    const result = { asked: 0, failed: 0 }
    const done = (async () => {
      while (going) {
        result.asked++
        if (!(await answers(url))) result.failed++
        await sleep(5)
      }
    })()
    return async () => {
      going = false
      await done
      return result
    }
  }

  return {
    cluster,
    async start() {
      const name = `p${count++}`
      const began = performance.now()
      await createPod(name)
      const took = (await until(`${name} ready`, () => isReady(pods.get(name)))) - began
      await removePod(name)
      await gone()
      return took
    },
    async burst(size) {
      const names = Array.from({ length: size }, () => `b${count++}`)
      const began = performance.now()
      for (const name of names) await createPod(name)
      const took = (await until('all are ready', () => names.every(name => isReady(pods.get(name))))) - began
      await Promise.all(names.map(removePod))
      await gone()
      return took
    },
    async kill() {
      const name = `k${count++}`
      await createPod(name)
      await until(`${name} ready`, () => isReady(pods.get(name)))
      await sleep(500)
      const victims = marked(`${namespace}-${name}`)
      if (victims.length === 0) throw new Error(`no process of ${name} was found`)
      const began = performance.now()
      for (const pid of victims) process.kill(Number(pid), 'SIGKILL')
      const again = () => isReady(pods.get(name)) && pods.get(name)?.status?.containerStatuses?.[0]?.restartCount === 1
      const took = (await until(`${name} started again`, again)) - began
      await removePod(name)
      await gone()
      return took
    },
    async replace(times) {
      const name = `r${count++}`
      await deploy(name, 1)
      await settled(name, 1)
      const all: number[] = []
      for (let turn = 0; turn < times; turn++) {
        await sleep(500)
        const old = [...pods.values()].find(each => isReady(each) && !each.metadata.deletionTimestamp)!
        const other = () => [...pods.values()].some(each => each.metadata.uid !== old.metadata.uid && isReady(each))
        const began = performance.now()
        await cluster.call('DELETE', `${podsPath}/${old.metadata.name}`)
        all.push((await until('the replacement', other)) - began)
        await until('one pod', () => pods.size === 1)
      }
      await end(name)
      return all
    },
    async scale() {
      const name = `s${count++}`
      let began = performance.now()
      await deploy(name, 20)
      const twenty = (await settled(name, 20)) - began
      await sleep(1000)
      const before = generation(name)
      began = performance.now()
      await patch(name, { replicas: 60 })
      const sixty = (await settled(name, 60, before)) - began
      await end(name)
      return { twenty, sixty }
    },
    async roll(times) {
      const name = `u${count++}`
      await deploy(name, 10, {
        command: web,
        ports: [{ containerPort: 8080 }],
        readinessProbe: { httpGet: { path: '/', port: 8080 } },
      })
      await settled(name, 10)
      const stop = services ? await askThrough(name) : async () => ({ asked: 0, failed: 0 })
      const took: number[] = []
      for (let turn = 0; turn < times; turn++) {
        const before = generation(name)
        const began = performance.now()
        await patch(name, { template: { metadata: { annotations: { turn: String(turn) } } } })
        took.push((await settled(name, 10, before)) - began)
        await until('the old ones to go', () => pods.size === 10)
      }
      const result = { took, ...(await stop()) }
      await end(name)
      return result
    },
    async rest(size) {
      const name = `i${count++}`
      await deploy(name, size)
      await settled(name, size)
    },
    async close() {
      await cluster.call('DELETE', `/api/v1/namespaces/${namespace}`)
      await gone()
      cluster.close()
    },
  }
}
