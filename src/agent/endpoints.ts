/** What a kubelet serves over HTTP on its own port, for `nodes/proxy`: health, pods, usage, logs of containers. */
import { isFinished } from '../api/kinds/core/finished.ts'
import { milliValue, quantityValue } from '../api/machinery/quantity.ts'
import { badRequest, methodNotAllowed, StatusError } from '../api/machinery/status-error.ts'
import type { NodeAnswer, NodeApi, NodeRequest } from '../client/node-api.ts'
import type { Clock } from '../lib/clock.ts'
import { type Family, metricsText } from '../lib/metrics.ts'
import type { LocalVolumes } from './local-volumes.ts'
import type { NodeImages } from './node/images.ts'
import type { Machine } from './node/machine.ts'
import { podRef } from './pod/object.ts'
import type { PodWorker } from './pod/worker.ts'
import type { PodNetwork } from './pod-network.ts'
import { usageOfClaims } from './statistics/claims.ts'
import { usageOfContainers } from './statistics/containers.ts'
import type { Statistics } from './statistics/statistics.ts'

export interface EndpointDeps {
  readonly nodeName: string
  workers(): Iterable<PodWorker>
  readonly logs: NodeApi['logs']
  readonly localVolumes: LocalVolumes
  readonly images: NodeImages
  readonly podNetwork: Pick<PodNetwork, 'traffic'>
  readonly machine: Machine
  /** What is counted on the node, beside what its pods show. */
  readonly families: readonly Family[]
  /** What a kubelet's configuration would say of this node. */
  configuration(): object
  readonly clock: Clock
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
const text = (body: string, status = 200, contentType = 'text/plain; charset=utf-8'): NodeAnswer => ({
  status,
  contentType,
  body: once(body),
})
const json = (value: unknown) => text(JSON.stringify(value), 200, 'application/json')

const METRICS = 'text/plain; version=0.0.4; charset=utf-8'

/** What is asked for below `/stats` and `/metrics`; undefined for what is not there. */
async function statisticsAt(deps: EndpointDeps, path: string): Promise<NodeAnswer | undefined> {
  const made = await import('./statistics/statistics.ts')
  const { containerMetrics } = await import('./statistics/container-metrics.ts')
  if (path === '/metrics/probes') {
    const { probeMetrics } = await import('./statistics/probe-metrics.ts')
    return text(probeMetrics(deps.workers()), 200, METRICS)
  }
  const texts: Readonly<Record<string, (all: Statistics) => string>> = {
    '/metrics': made.kubeletMetrics,
    '/metrics/resource': made.resourceMetrics,
    '/metrics/slis': made.healthMetrics,
    '/metrics/cadvisor': containerMetrics,
  }
  if (path !== '/stats/summary' && !texts[path]) return undefined
  const needsClaims = path === '/stats/summary' || path === '/metrics'
  const traffic = deps.podNetwork.traffic?.()
  const pods = await Promise.all(
    [...deps.workers()].map(async worker => ({
      pod: worker.pod(),
      containers: await usageOfContainers(worker),
      claims: needsClaims ? await usageOfClaims(worker, deps.clock) : [],
      traffic: traffic?.get(worker.pod().metadata?.uid ?? ''),
    })),
  )
  const all: Statistics = {
    nodeName: deps.nodeName,
    now: deps.clock.now(),
    machine: deps.machine.usage?.() ?? made.usageOfPods(pods, quantityValue(deps.machine.capacity.memory ?? '0')),
    cores: milliValue(deps.machine.capacity.cpu ?? '0') / 1000,
    pods,
  }
  if (path === '/stats/summary') return json(made.summary(all))
  const counted = path === '/metrics' ? await metricsText(deps.families) : ''
  return text(texts[path]!(all) + counted, 200, METRICS)
}

/** `/containerLogs/NAMESPACE/POD/CONTAINER`, with the options of pods/log in the query. */
async function containerLog(deps: EndpointDeps, request: NodeRequest, names: readonly string[]): Promise<NodeAnswer> {
  const [namespace = '', name = '', container = ''] = names
  const wanted = request.query.get('uid')
  const isMeant = (uid: string | undefined) => wanted === null || uid === wanted
  const found = [...deps.workers()]
    .map(each => each.pod())
    .find(({ metadata }) => metadata?.namespace === namespace && metadata.name === name && isMeant(metadata.uid))
  if (!found) return text(`pod ${JSON.stringify(name)} not found in namespace ${JSON.stringify(namespace)}\n`, 404)
  const number = (option: string) => {
    const value = request.query.get(option)
    return value && /^\d+$/.test(value) ? { [option]: Number(value) } : {}
  }
  const is = (option: string) => request.query.get(option) === 'true'
  const options = {
    container,
    follow: is('follow'),
    previous: is('previous'),
    timestamps: is('timestamps'),
    ...number('tailLines'),
    ...number('limitBytes'),
    ...number('sinceSeconds'),
    ...(request.query.get('sinceTime') && { sinceTime: request.query.get('sinceTime')! }),
  }
  const body = await deps.logs(podRef(found), options, request.signal)
  return { status: 200, contentType: 'text/plain', body }
}

/** `/volumes/NAME`: PUT makes a local volume of `?bytes=` and tells where it is, DELETE removes it. */
async function volume(volumes: LocalVolumes, { method, query }: NodeRequest, name: string): Promise<NodeAnswer> {
  const bytes = Number(query.get('bytes') ?? 0)
  if (method === 'PUT') return json({ path: await volumes.make(name, bytes > 0 ? bytes : undefined) })
  if (method !== 'DELETE') throw methodNotAllowed()
  await volumes.remove(name)
  return json({})
}

/**
 * `/images`: GET lists them, DELETE removes the one of `?name=`; POST `/images/import` takes an archive in for the
 * runtime of `?handler=`, POST `/images/prune` removes what no container is made of.
 */
async function imagesOf(images: NodeImages, { method, query, body }: NodeRequest, what: string): Promise<NodeAnswer> {
  if (what === '' && (method === 'GET' || method === 'HEAD')) return json({ images: await images.list() })
  if (what === '' && method === 'DELETE') {
    const name = query.get('name') ?? ''
    return (await images.remove(name)) ? json({}) : text(`there is no image ${JSON.stringify(name)}\n`, 404)
  }
  if (what === 'import' && method === 'POST') {
    if (!body) throw badRequest('the body of the request must be an archive of images')
    return json({ names: await images.importArchive(query.get('handler') ?? '', body) })
  }
  if (what === 'prune' && method === 'POST') return json({ removed: await images.prune() })
  throw methodNotAllowed()
}

/** `/claims/NAMESPACE/NAME`: PUT lets volumes of a claim that pods use here take the size that they have by now. */
async function expandClaim({ workers }: EndpointDeps, method: string, names: readonly string[]): Promise<NodeAnswer> {
  if (method !== 'PUT') throw methodNotAllowed()
  const [namespace, name = ''] = names
  for (const worker of workers()) if (worker.pod().metadata?.namespace === namespace) await worker.expand(name)
  return json({})
}

/** Answers requests to the node itself; 404 for what it does not serve. */
export function createEndpoints(deps: EndpointDeps): NonNullable<NodeApi['serve']> {
  const answer = async (request: NodeRequest): Promise<NodeAnswer> => {
    const [, first = '', ...names] = request.path.replace(/\/+$/, '').split('/').map(decodeURIComponent)
    const path = `/${[first, ...names].join('/')}`
    if (first === 'claims' && names.length === 2) return expandClaim(deps, request.method, names)
    if (first === 'volumes' && names.length === 1) return volume(deps.localVolumes, request, names[0]!)
    if (first === 'images' && names.length <= 1) return imagesOf(deps.images, request, names[0] ?? '')
    if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed()
    if (path === '/healthz' || path.startsWith('/healthz/')) return text('ok')
    if (path === '/pods' || path === '/runningpods') {
      const all = [...deps.workers()].map(each => each.pod())
      const items = path === '/pods' ? all : all.filter(each => !isFinished(each))
      return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items })
    }
    if (path === '/configz') return json({ kubeletconfig: deps.configuration() })
    const statistics = first === 'stats' || first === 'metrics' ? await statisticsAt(deps, path) : undefined
    if (statistics) return statistics
    if (first === 'containerLogs' && names.length === 3) return containerLog(deps, request, names)
    return text('404 page not found\n', 404)
  }
  return async request => {
    try {
      return await answer(request)
    } catch (error) {
      if (error instanceof StatusError) return text(`${error.message}\n`, error.code)
      throw error
    }
  }
}
