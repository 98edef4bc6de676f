/**
 * The node agent: registers the node, runs the pods that are bound to it, and answers for them. It owns what is below
 * its data folder; it talks to the API server, the runtimes and the pod network, and to nothing else.
 */

import { join } from 'node:path'
import type { NodeAddress, Pod } from '../api/generated/types/core-v1.ts'
import { isFinished } from '../api/kinds/core/finished.ts'
import { quantityValue } from '../api/machinery/quantity.ts'
import { createClient } from '../client/client.ts'
import { createEventRecorder } from '../client/event-recorder.ts'
import { nodeTarget } from '../client/event-target.ts'
import { createInformer } from '../client/informer.ts'
import type { NodeApi } from '../client/node-api.ts'
import type { Transport } from '../client/transport.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import type { Family } from '../lib/metrics.ts'
import { createAdmission, fits } from './admission.ts'
import { startCsi } from './csi/start.ts'
import { createNodeDevices } from './devices/devices.ts'
import { serveRegistration } from './devices/registration.ts'
import { createEndpoints } from './endpoints.ts'
import { createLimiter } from './limiter.ts'
import { createLocalVolumes } from './local-volumes.ts'
import { kubeletConfiguration } from './node/configuration.ts'
import { findImageDisk, withImageDisk } from './node/image-disk.ts'
import { keepImages } from './node/image-keeping.ts'
import { createNodeImages } from './node/images.ts'
import { type Machine, thisMachine } from './node/machine.ts'
import { startNode } from './node/registration.ts'
import { diskOf } from './node/usage.ts'
import { createObjectSource } from './object-source.ts'
import { removeOrphanFolders, removeOrphans } from './orphans.ts'
import type { PodDeps } from './pod/deps.ts'
import { createSandboxCount } from './pod/sandbox-count.ts'
import { createUserNamespaces } from './pod/user-namespaces.ts'
import { createPodWorkers } from './pod/workers.ts'
import type { PodNetwork } from './pod-network.ts'
import { startPressure } from './pressure/start.ts'
import { createCredentialProvider } from './pulls/provider.ts'
import { createPulls } from './pulls/pulls.ts'
import { openRecords, type PullRecords } from './pulls/records.ts'
import { pods, runtimeClasses } from './resources.ts'
import { createRuntimeChoice } from './runtimes/choice.ts'
import type { RuntimeDriver } from './runtimes/runtime.ts'
import { createNodeApi } from './serve.ts'
import type { NodeServer, NodeServerDeps, NodeServerOptions } from './server/server.ts'
import type { ServiceEnvironment } from './service-env.ts'
import { DEFAULT_SETTINGS, type NodeSettings } from './settings.ts'
import { createLeaving } from './shutdown/leaving.ts'
import type { ShutdownSource } from './shutdown/source.ts'
import type { StaticPods, StaticPodsDeps } from './static-pods/static-pods.ts'
import { programMetrics } from './statistics/program-metrics.ts'
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
  /** What else this program counts on the node, told with the agent's own metrics. */
  readonly families?: readonly Family[]
  /** Called when a heartbeat failed: the connection may be dead. */
  reconnect?(): void
  /** Only to end what an earlier life left: pods that run are stopped, and none is started any more. */
  readonly ending?: boolean
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
  const base = await openBase(deps, signal)
  const { version = 'v1.36.3+tutti' } = deps
  const { client, clock, logger, events, nodeName, settings, machine, imageDisk, podsDirectory, runtimes, source } =
    base
  const workers = createPodWorkers({
    clock,
    podsDirectory,
    diskUsed: () => (diskOf(podsDirectory)?.usedBytes ?? 0) + (imageDisk?.read()?.usedBytes ?? 0),
  })
  /** What an earlier life left is taken up, or gone. */
  let adopted = false
  let statics: StaticPods | undefined
  /** Of the pods that are this node's, however it knows of them. */
  const knownUids = () =>
    new Set([...workers.uids(), ...(statics?.uids() ?? []), ...source.list().map(pod => pod.metadata?.uid ?? '')])
  const makesMounts = runtimes.some(each => each.capabilities.volumes)
  const csi = makesMounts ? startCsi({ ...base, changed: driverCame }, signal) : undefined
  const volumeServices = { csi }
  /** A driver has registered: what waits for it goes on, and what it has to undo is undone. */
  function driverCame() {
    for (const worker of workers.all()) worker.retry()
    if (adopted) void removeOrphanFolders({ podsDirectory, volumeServices, logger }, knownUids())
  }
  const pluginsDirectory = deps.devicePlugins ?? join(deps.dataDir, 'device-plugins')
  let resourcesChanged: (() => void) | undefined
  const devices = createNodeDevices(
    { directory: pluginsDirectory, clock, logger, isHeld: workers.holds, changed: () => resourcesChanged?.() },
    signal,
  )
  const images = createNodeImages(runtimes, join(deps.dataDir, 'image-imports'))
  const pressure = startPressure({ ...base, settings: settings.eviction, images, workers: workers.all }, signal)
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    events.event(nodeTarget(nodeName), type, reason, message)
  const leaving = createLeaving(
    {
      periods: settings.shutdown,
      clock,
      logger,
      workers: workers.all,
      tell: message => tell('Normal', 'NodeShutdown', message),
    },
    signal,
  )
  const records = openRecords(join(deps.dataDir, 'image-pulls.json'), settings.verification)
  const podDeps: PodDeps = {
    ...sharedByPods({ ...base, records, devices, volumeServices }, signal),
    admit: createAdmission({
      ...base,
      unsafeSysctls: settings.unsafeSysctls,
      others: workers.others,
      ofPlugins: () => devices.resources().capacity,
      refused: pod => leaving.admit() ?? pressure?.admit(pod),
      node: () => registered,
      async end(pod, why) {
        events.event(pod, 'Warning', why.reason, why.message)
        await workers.get(pod.metadata?.uid ?? '')?.terminate(why, Number.POSITIVE_INFINITY)
      },
    }),
    fitsResized: pod => fits(pod, workers.others(pod), base.allocatable),
    freed: workers.freed,
  }
  for (const driver of runtimes) driver.onEvent(({ podUid, type }) => workers.get(podUid)?.changed(type))

  const api = createNodeApi(uid => workers.get(uid) ?? workers.get(statics?.ofMirror(uid) ?? ''))
  const serve = createEndpoints({
    nodeName,
    workers: workers.all,
    logs: api.logs,
    clock,
    images,
    machine,
    podNetwork: deps.podNetwork,
    configuration: () => kubeletConfiguration({ ...base, port: server?.port }),
    families: [...programMetrics(version, clock.now()), ...podDeps.sandboxes.families, ...(deps.families ?? [])],
    localVolumes: createLocalVolumes(join(deps.dataDir, 'volumes')),
  })
  const server = await openServer(deps.server, { nodeName, client, clock, logger, api, serve, find: workers.find })
  if (server) signal.addEventListener('abort', () => void server.close(), { once: true })

  tell('Normal', 'Starting', 'Starting kubelet.')
  const registered = await startNode(
    {
      ...(server && { kubeletPort: server.port }),
      ...(deps.podCidr && { podCidr: deps.podCidr }),
      ...(deps.reconnect && { reconnect: deps.reconnect }),
      ...(deps.annotations && { annotations: deps.annotations }),
      pressure,
      leaving: leaving.isLeaving,
      tell,
      ...(await keepImages({ ...base, settings: settings.imageGarbage, images, records })),
      client,
      clock,
      logger,
      name: nodeName,
      addresses: deps.addresses,
      labels: deps.labels ?? {},
      machine,
      runtimes,
      extended: { resources: devices.resources, onChange: fn => (resourcesChanged = fn) },
      version,
    },
    signal,
  )
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
        const worker = workers.begin(pod, { ...podDeps, client: own })
        return { end: next => worker.update(next), ended: worker.ended }
      },
    },
    signal,
  )
  await removeOrphans({ ...base, volumeServices }, knownUids())
  adopted = true
  if (makesMounts) serveRegistration({ directory: pluginsDirectory, logger, register: devices.register }, signal)
  statics?.begin()
  source.onChange(({ previous, current }) => {
    const uid = previous?.metadata?.uid
    if (uid && uid !== current?.metadata?.uid) workers.get(uid)?.gone()
    const either = current ?? previous
    if (either && statics?.seen(either)) return
    if (current && !workers.update(current) && !leaving.beginsNone()) workers.begin(current, podDeps)
    if (previous && !isFinished(previous) && (!current || isFinished(current))) workers.freed()
  })

  leaving.registered(registered.tell, deps.machineShutdown)
  const ended = new Promise<void>(resolve => {
    const end = () => {
      workers.release()
      resolve()
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
  return { api: { ...api, serve }, server, drain: leaving.drain, shutDown: leaving.shutDown, ended }
}

/** What the parts of a node share, before there is any pod. */
async function openBase(deps: AgentDeps, signal: AbortSignal) {
  const { transport, clock, logger, nodeName, runtimes, dataDir, settings = DEFAULT_SETTINGS } = deps
  const client = createClient(transport, { fieldManager: 'kubelet' })
  const imageDisk = await findImageDisk(runtimes, dataDir, logger)
  const machine = withImageDisk(deps.machine ?? thisMachine(dataDir), imageDisk)
  const told = { clock, logger }
  const classes = createInformer(client, runtimeClasses, {}, told, signal)
  return {
    ...deps,
    client,
    settings,
    imageDisk,
    machine,
    allocatable: machine.allocatable ?? machine.capacity,
    podsDirectory: join(dataDir, 'pods'),
    events: createEventRecorder(transport, { component: 'kubelet', host: nodeName }, told, signal),
    /** The pods that are bound to this node. */
    source: createInformer<Pod>(client, pods, { fieldSelector: `spec.nodeName=${nodeName}` }, told, signal),
    runtimeOf: createRuntimeChoice({
      nodeName,
      runtimes,
      async findClass(name) {
        await classes.synced()
        return classes.get(name)
      },
    }),
  }
}

/** What all pods use that is nobody's in particular. */
function sharedByPods(
  base: Awaited<ReturnType<typeof openBase>> & Pick<PodDeps, 'devices' | 'volumeServices'> & { records: PullRecords },
  signal: AbortSignal,
): Omit<PodDeps, 'admit' | 'fitsResized' | 'freed'> {
  const { client, clock, logger, nodeName, dataDir, settings, machine, allocatable, podsDirectory, records } = base
  return {
    ...base,
    objects: createObjectSource(client, { clock, logger }, signal),
    claims: createClaimSource(client, nodeName),
    starts: createLimiter(STARTS, clock),
    pulls: createPulls({
      clock,
      records,
      limit: settings.parallelPulls,
      providers: settings.credentialProviders.map(each => createCredentialProvider(each, { clock, logger, signal })),
    }),
    sandboxes: createSandboxCount(),
    userNamespaces: createUserNamespaces(podsDirectory),
    seccompDirectory: join(dataDir, 'seccomp'),
    node: {
      name: nodeName,
      ips: base.addresses.filter(each => each.type === 'InternalIP').map(each => each.address),
      allocatable: () => allocatable,
      memoryCapacity: quantityValue(machine.capacity.memory ?? '0') || Number.POSITIVE_INFINITY,
      podPids: settings.podPids,
      restartMaxMs: settings.restartMaxMs,
    },
    signal,
  }
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
