/**
 * The node agent: registers the node, runs the pods that are bound to it, and answers for them. It owns what is below
 * its data folder; it talks to the API server, the runtimes and the pod network, and to nothing else.
 */
import { join } from 'node:path'
import type { Node, NodeAddress, Pod } from '../api/generated/types/core-v1.ts'
import { isFinished } from '../api/kinds/core/finished.ts'
import { quantityValue } from '../api/machinery/quantity.ts'
import { notFound } from '../api/machinery/status-error.ts'
import { createClient } from '../client/client.ts'
import { createEventRecorder } from '../client/event-recorder.ts'
import { createInformer } from '../client/informer.ts'
import type { NodeApi, PodRef } from '../client/node-api.ts'
import type { Transport } from '../client/transport.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { type Allocatable, fits, inOrder, isOfLabels, refusalOf } from './admission.ts'
import { startCsi } from './csi/start.ts'
import { createNodeDevices } from './devices/devices.ts'
import { serveRegistration } from './devices/registration.ts'
import { measurePod } from './disk/measure.ts'
import { createDiskWatch } from './disk/watch.ts'
import { createEndpoints } from './endpoints.ts'
import { createLimiter } from './limiter.ts'
import { createLocalVolumes } from './local-volumes.ts'
import { nodeTarget } from './node/event-target.ts'
import { findImageDisk, withImageDisk } from './node/image-disk.ts'
import { createImageGarbage } from './node/image-garbage.ts'
import { createNodeImages, statusImages } from './node/images.ts'
import { type Machine, thisMachine } from './node/machine.ts'
import { preloadImages } from './node/preload.ts'
import { LEASE_SECONDS, startNode } from './node/registration.ts'
import { diskOf } from './node/usage.ts'
import { createObjectSource } from './object-source.ts'
import { removeOrphanFolders, removeOrphans } from './orphans.ts'
import type { PodDeps } from './pod/deps.ts'
import { groupsProblem, hasAppArmor, ruleProblem } from './pod/node-rules.ts'
import { isOfProcesses } from './pod/of-processes.ts'
import { wantsStrictGroups } from './pod/security.ts'
import { createUserNamespaces } from './pod/user-namespaces.ts'
import { createPodWorker, type PodWorker } from './pod/worker.ts'
import type { PodNetwork } from './pod-network.ts'
import { startPressure } from './pressure/start.ts'
import { createCredentialProvider } from './pulls/provider.ts'
import { createPulls } from './pulls/pulls.ts'
import { openRecords } from './pulls/records.ts'
import { pods, runtimeClasses } from './resources.ts'
import { type NodeImage, type RuntimeDriver, RuntimeError } from './runtimes/runtime.ts'
import { createNodeApi } from './serve.ts'
import type { NodeServer, NodeServerDeps, NodeServerOptions } from './server/server.ts'
import type { ServiceEnvironment } from './service-env.ts'
import { DEFAULT_SETTINGS, type NodeSettings } from './settings.ts'
import { createLeaving } from './shutdown/leaving.ts'
import type { ShutdownSource } from './shutdown/source.ts'
import type { StaticPods, StaticPodsDeps } from './static-pods/static-pods.ts'
import { createClaimSource } from './volumes/claims.ts'

/** Starts at once: more take as long, and the first would come later (measured with runc and with processes). */
const STARTS = 8

export interface AgentDeps {
  /** As the node's own user, `system:node:<name>`. */
  readonly transport: Transport
  readonly clock: Clock
  readonly logger: Logger
  readonly nodeName: string
  /** The node's folder; pods live in `pods/<uid>` of it, local volumes in `volumes`. */
  readonly dataDir: string
  /** Each serves the handlers that it names; the first wins. */
  readonly runtimes: readonly RuntimeDriver[]
  readonly podNetwork: PodNetwork
  readonly serviceEnv: ServiceEnvironment
  /** The node's addresses without its host name, first the internal one. */
  readonly addresses: readonly NodeAddress[]
  /** Further labels of the node. */
  readonly labels?: Readonly<Record<string, string>>
  /** Annotations of the node's object, where the agent makes it. */
  readonly annotations?: Readonly<Record<string, string>>
  /** What the node offers; this machine when absent. */
  readonly machine?: Machine
  /** What its owner has set; `DEFAULT_SETTINGS` when absent. */
  readonly settings?: NodeSettings
  /** Folder of manifests of static pods, made where it is missing; none when absent. */
  readonly manifests?: string
  /** Folder where device plugins register, and have their sockets; `device-plugins` of the node's when absent. */
  readonly devicePlugins?: string
  /** `v1.36.3+tutti` when absent. */
  readonly version?: string
  /** The range of its pods' addresses, where it has one of its own. */
  readonly podCidr?: string
  /** Called when a heartbeat failed: the connection may be dead. */
  reconnect?(): void
  /** What tells that the machine shuts down; followed where the settings have periods for that. */
  readonly machineShutdown?: ShutdownSource
  /** Where the node listens for the API server and others; nowhere when absent. */
  readonly server?: NodeServerOptions
}

export interface Agent {
  readonly api: NodeApi
  /** What listens, where that was asked for. */
  readonly server: NodeServer | undefined
  /**
   * Stops all workloads in order, each with its grace but at most `timeoutMs`; their objects stay. The node says before
   * that it is not ready, and begins no pod any more.
   */
  drain(timeoutMs: number): Promise<void>
  /**
   * The machine shuts down, and `timeoutMs` at most are left. Where the owner has set periods for that, pods end by
   * priority and have failed then; otherwise it is as `drain`: they run again after the boot.
   */
  shutDown(timeoutMs: number): Promise<void>
  /** Resolves after `signal` aborted and everything was let go; workloads run on. */
  readonly ended: Promise<void>
}

/** Resolves when the node is Ready and its pods are known. `signal` ends the agent, not the workloads. */
export async function startAgent(deps: AgentDeps, signal: AbortSignal): Promise<Agent> {
  const { clock, logger, nodeName, runtimes, podNetwork, settings = DEFAULT_SETTINGS } = deps
  const client = createClient(deps.transport, { fieldManager: 'kubelet' })
  const imageDisk = await findImageDisk(runtimes, deps.dataDir, logger)
  const machine = withImageDisk(deps.machine ?? thisMachine(deps.dataDir), imageDisk)
  const { allocatable = machine.capacity } = machine
  const podsDirectory = join(deps.dataDir, 'pods')
  const workers = new Map<string, PodWorker>()
  /** What an earlier life left is taken up, or gone. */
  let adopted = false
  let statics: StaticPods | undefined
  const classes = createInformer(client, runtimeClasses, {}, { clock, logger }, signal)
  const source = createInformer<Pod>(
    client,
    pods,
    { fieldSelector: `spec.nodeName=${nodeName}` },
    { clock, logger },
    signal,
  )
  const events = createEventRecorder(
    deps.transport,
    { component: 'kubelet', host: nodeName },
    { clock, logger },
    signal,
  )

  async function runtimeOf(pod: Pod) {
    const name = pod.spec?.runtimeClassName
    let handler = ''
    if (!name && isOfProcesses(pod) && runtimes.some(each => each.capabilities.handlers.includes('process')))
      handler = 'process'
    if (name) {
      await classes.synced()
      const found = classes.get(name)
      if (!found)
        throw new RuntimeError(
          'RuntimeClassNotFound',
          `failed to get sandbox runtime: RuntimeClass ${JSON.stringify(name)} not found`,
        )
      handler = found.handler
    }
    const driver =
      runtimes.find(each => each.capabilities.handlers.includes(handler)) ??
      runtimes.find(each => each.capabilities.anyHandler)
    if (driver) return { driver, handler }
    const known = [...new Set(runtimes.flatMap(each => each.capabilities.handlers))].map(each => each || '(default)')
    throw new RuntimeError(
      'RuntimeNotConfigured',
      `failed to get sandbox runtime: no runtime for ${JSON.stringify(handler || 'the default handler')} is configured: node ` +
        `${nodeName} has ${known.join(', ') || 'none'}. Bind the pod to a node that has it (node.status.runtimeHandlers), ` +
        'or choose a RuntimeClass whose handler this node has',
    )
  }
  const csiDeps = { client, clock, logger, nodeName, podsDirectory, dataDir: deps.dataDir, changed: driverCame }
  const volumeServices = {
    csi: runtimes.some(each => each.capabilities.volumes) ? startCsi(csiDeps, signal) : undefined,
  }
  /** Of the pods that are this node's, however it knows of them. */
  const knownUids = () =>
    new Set([...workers.keys(), ...(statics?.uids() ?? []), ...source.list().map(pod => pod.metadata?.uid ?? '')])
  /** A driver has registered: what waits for it goes on, and what it has to undo is undone. */
  function driverCame() {
    for (const worker of workers.values()) worker.retry()
    if (adopted) void removeOrphanFolders({ podsDirectory, volumeServices, logger }, knownUids())
  }
  const pluginsDirectory = deps.devicePlugins ?? join(deps.dataDir, 'device-plugins')
  let resourcesChanged: (() => void) | undefined
  const rules = { unsafeSysctls: settings.unsafeSysctls, appArmor: hasAppArmor() }
  /** All other pods that take of the node, with what each has been given. */
  const others = (pod: Pod) =>
    [...workers.values()]
      .map(each => each.allocated())
      .filter(each => each.metadata?.uid !== pod.metadata?.uid && !isFinished(each))
  /** Beside what the machine has, resources that somebody else has written; devices are given out by their plugins. */
  function mayGive(node: Node): Allocatable {
    const ofPlugins = devices.resources().capacity
    const written = Object.entries(node.status?.allocatable ?? {})
    return { ...Object.fromEntries(written.filter(([resource]) => !(resource in ofPlugins))), ...allocatable }
  }
  const devices = createNodeDevices(
    {
      directory: pluginsDirectory,
      clock,
      logger,
      isHeld(uid) {
        const worker = workers.get(uid)
        return worker !== undefined && !isFinished(worker.pod())
      },
      changed: () => resourcesChanged?.(),
    },
    signal,
  )
  const records = openRecords(join(deps.dataDir, 'image-pulls.json'), settings.verification)
  const podDeps: PodDeps = {
    client,
    clock,
    logger,
    events,
    objects: createObjectSource(client, { clock, logger }, signal),
    claims: createClaimSource(client, nodeName),
    volumeServices,
    podNetwork,
    serviceEnv: deps.serviceEnv,
    starts: createLimiter(STARTS),
    devices,
    pulls: createPulls({
      clock,
      records,
      limit: settings.parallelPulls,
      providers: settings.credentialProviders.map(each => createCredentialProvider(each, { clock, logger, signal })),
    }),
    podsDirectory,
    userNamespaces: createUserNamespaces(podsDirectory),
    seccompDirectory: join(deps.dataDir, 'seccomp'),
    node: {
      name: nodeName,
      ips: deps.addresses.filter(each => each.type === 'InternalIP').map(each => each.address),
      allocatable: () => allocatable,
      memoryCapacity: quantityValue(machine.capacity.memory ?? '0') || Number.POSITIVE_INFINITY,
      podPids: settings.podPids,
      restartMaxMs: settings.restartMaxMs,
    },
    runtimes,
    runtimeOf,
    admit(pod) {
      const judge = (node: Node) => refusalOf(pod, others(pod), node, mayGive(node))
      const found = leaving.admit() ?? pressure?.admit(pod) ?? ruleProblem(pod, rules) ?? judge(registered.current())
      if (found) return isOfLabels(found) ? registered.fetch().then(judge, () => found) : found
      if (!wantsStrictGroups(pod)) return undefined
      // Where there is no runtime for it, that is told later.
      return runtimeOf(pod).then(
        ({ driver }) => groupsProblem(pod, driver.capabilities),
        () => undefined,
      )
    },
    fitsResized: pod => fits(pod, others(pod), allocatable),
    freed() {
      for (const worker of inOrder([...workers.values()].filter(each => each.waits()))) worker.changed()
    },
    signal,
  }

  const disk = createDiskWatch({
    clock,
    used: () => (diskOf(podsDirectory)?.usedBytes ?? 0) + (imageDisk?.read()?.usedBytes ?? 0),
    async measure(pod) {
      const worker = workers.get(pod.metadata?.uid ?? '')
      return worker && measurePod(pod, worker, join(podsDirectory, worker.uid))
    },
    exceeded: (pod, message) => workers.get(pod.metadata?.uid ?? '')?.evict({ reason: 'Evicted', message }),
  })
  signal.addEventListener('abort', disk.close, { once: true })
  function begin(pod: Pod, shared = podDeps): PodWorker {
    const uid = pod.metadata?.uid ?? ''
    const worker = createPodWorker(shared, pod)
    workers.set(uid, worker)
    disk.follow(pod)
    void worker.ended.then(() => {
      disk.forget(uid)
      workers.delete(uid)
      podDeps.freed()
    })
    return worker
  }
  function take(pod: Pod) {
    const known = workers.get(pod.metadata?.uid ?? '')
    if (known) {
      known.update(pod)
      disk.follow(pod)
    } else if (!leaving.beginsNone()) begin(pod)
  }
  const leaving = createLeaving(
    {
      periods: settings.shutdown,
      clock,
      logger,
      workers: () => workers.values(),
      tell: message => events.event(nodeTarget(nodeName), 'Normal', 'NodeShutdown', message),
    },
    signal,
  )
  for (const driver of runtimes) driver.onEvent(({ podUid, type }) => workers.get(podUid)?.changed(type))

  const api = createNodeApi(uid => workers.get(uid) ?? workers.get(statics?.ofMirror(uid) ?? ''))
  const images = createNodeImages(runtimes, join(deps.dataDir, 'image-imports'))
  const pressure = startPressure(
    {
      nodeName,
      machine,
      settings: settings.eviction,
      podsDirectory,
      images,
      imageDisk,
      events,
      clock,
      logger,
      workers: () => workers.values(),
    },
    signal,
  )
  const serve = createEndpoints({
    nodeName,
    workers: () => workers.values(),
    logs: api.logs,
    now: clock.now,
    images,
    machine,
    configuration: () => kubeletConfiguration(deps, machine, server?.port),
    localVolumes: createLocalVolumes(join(deps.dataDir, 'volumes')),
  })
  const findPod = (namespace: string, name: string, uid?: string): PodRef => {
    for (const [id, worker] of workers) {
      const { metadata } = worker.pod()
      if (metadata?.namespace === namespace && metadata.name === name && (uid === undefined || uid === id))
        return { namespace, name, uid: id }
    }
    throw notFound(pods, name)
  }
  const server = await openServer(deps.server, { nodeName, client, clock, logger, api, serve, find: findPod })
  if (server) signal.addEventListener('abort', () => void server.close(), { once: true })

  const garbage = createImageGarbage({
    settings: settings.imageGarbage,
    images,
    disk: () => (imageDisk ? imageDisk.read() : diskOf(deps.dataDir)),
    clock,
    logger,
  })
  /** For the node's status; of what is gone nothing needs to be known. */
  function tellImages(all: readonly NodeImage[]) {
    records.keep(new Set(all.flatMap(({ id, digests }) => [id, ...digests])))
    return statusImages(all)
  }
  await preloadImages(join(deps.dataDir, 'images'), images, logger)
  const registered = await startNode(
    {
      ...(server && { kubeletPort: server.port }),
      ...(deps.podCidr && { podCidr: deps.podCidr }),
      ...(deps.reconnect && { reconnect: deps.reconnect }),
      ...(deps.annotations && { annotations: deps.annotations }),
      pressure,
      leaving: leaving.isLeaving,
      tidy: () =>
        garbage.collect().then(tellImages, error => {
          logger.warn({ err: error }, 'unused images could not be removed')
          return undefined
        }),
      images: async () => tellImages(await images.list()),
      client,
      clock,
      logger,
      name: nodeName,
      addresses: deps.addresses,
      labels: deps.labels ?? {},
      machine,
      runtimes,
      extended: {
        resources: devices.resources,
        onChange: fn => (resourcesChanged = fn),
      },
      version: deps.version ?? 'v1.36.3+tutti',
    },
    signal,
  )
  events.event(nodeTarget(nodeName), 'Normal', 'Starting', 'Starting kubelet.')
  await source.synced()
  statics = await openStaticPods(
    deps.manifests,
    {
      node: registered.node,
      client,
      clock,
      logger,
      find: key => source.get(key),
      run(pod, own) {
        const worker = begin(pod, { ...podDeps, client: own })
        return { end: next => worker.update(next), ended: worker.ended }
      },
    },
    signal,
  )
  await removeOrphans({ runtimes, podNetwork, podsDirectory, volumeServices, logger }, knownUids())
  adopted = true
  if (runtimes.some(each => each.capabilities.volumes))
    serveRegistration({ directory: pluginsDirectory, logger, register: devices.register }, signal)
  statics?.begin()
  source.onChange(({ previous, current }) => {
    const uid = previous?.metadata?.uid
    if (uid && uid !== current?.metadata?.uid) workers.get(uid)?.gone()
    const either = current ?? previous
    if (either && statics?.seen(either)) return
    if (current) take(current)
    if (previous && !isFinished(previous) && (!current || isFinished(current))) podDeps.freed()
  })

  leaving.registered(registered.tell, deps.machineShutdown)
  const ended = new Promise<void>(resolve => {
    const end = () => {
      for (const worker of workers.values()) worker.release()
      resolve()
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
  return { api: { ...api, serve }, server, drain: leaving.drain, shutDown: leaving.shutDown, ended }
}

/** Static pods, where there is a folder for them; the code is loaded only then. */
async function openStaticPods(
  directory: string | undefined,
  deps: Omit<StaticPodsDeps, 'directory'>,
  signal: AbortSignal,
): Promise<StaticPods | undefined> {
  if (directory === undefined) return undefined
  const { createStaticPods } = await import('./static-pods/static-pods.ts')
  try {
    return await createStaticPods({ directory, ...deps }, signal)
  } catch (error) {
    deps.logger.error({ err: error, directory }, 'there are no static pods: their folder cannot be followed')
    return undefined
  }
}

/** Listens where that is asked for; the code is loaded only then. */
async function openServer(
  options: NodeServerOptions | undefined,
  deps: NodeServerDeps,
): Promise<NodeServer | undefined> {
  if (!options) return undefined
  const { startNodeServer } = await import('./server/server.ts')
  return startNodeServer(options, deps)
}

/** What `/configz` says: this node in the words of a kubelet's configuration (kubelet.config.k8s.io/v1beta1). */
function kubeletConfiguration({ podNetwork, podCidr }: AgentDeps, { capacity }: Machine, port?: number): object {
  return {
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    ...(port !== undefined && { port, readOnlyPort: 0 }),
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true, cacheTTL: '2m0s' } },
    authorization: { mode: 'Webhook', webhook: { cacheAuthorizedTTL: '5m0s', cacheUnauthorizedTTL: '30s' } },
    maxPods: Number(capacity.pods),
    ...(podCidr && { podCIDR: podCidr }),
    clusterDomain: podNetwork.dns.clusterDomain,
    clusterDNS: podNetwork.dns.servers,
    nodeLeaseDurationSeconds: LEASE_SECONDS,
    serverTLSBootstrap: true,
    rotateCertificates: true,
  }
}
