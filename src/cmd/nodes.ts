/** The nodes of a cluster on one machine: the machine itself, or as many simulated ones as were asked for. */
import { join } from 'node:path'
import { startAgent } from '../agent/agent.ts'
import { enforceAllocatable } from '../agent/cgroups/node-allocatable.ts'
import { type Machine, type NodeLimits, thisMachine } from '../agent/node/machine.ts'
import { openProcessDriver } from '../agent/runtimes/process/driver.ts'
import type { RuntimeDriver } from '../agent/runtimes/runtime.ts'
import { annotatedScripts } from '../agent/runtimes/simulated/annotation.ts'
import { openSimulatedDriver } from '../agent/runtimes/simulated/driver.ts'
import type { NodeServer, NodeServerOptions } from '../agent/server/server.ts'
import { type ShutdownPeriod, wholePeriod } from '../agent/shutdown/periods.ts'
import type { ShutdownSource } from '../agent/shutdown/source.ts'
import type { UpOptions } from '../cli/context.ts'
import type { NodeApi } from '../client/node-api.ts'
import type { Transport } from '../client/transport.ts'
import type { Clock } from '../lib/clock.ts'
import { addressAt, parseCidr } from '../lib/ip-range.ts'
import type { Logger } from '../lib/log.ts'
import type { Family } from '../lib/metrics.ts'
import { runTool } from '../lib/run-tool.ts'
import { isBootedBySystemd } from '../lib/systemd.ts'
import type { Network } from '../network/network.ts'
import { isInside } from '../network/rootless/porter.ts'
import type { ContainerSettings } from './configuration/containers.ts'
import { loadKubeletSettings } from './configuration/kubelet.ts'
import { imagesOf } from './images.ts'
import type { KeptOptions } from './kept-options.ts'
import { groupsOf, openContainers, type Runtimes, type RuntimesDeps } from './runtimes.ts'

/** Addresses of simulated pods and nodes: RFC 2544 keeps them out of every real network. */
const SIMULATED_PODS = parseCidr('198.18.0.0/16')
const SIMULATED_NODES = parseCidr('198.19.0.0/16')
/** What a simulated node offers. */
const SIMULATED_CAPACITY = { cpu: '8', memory: '32Gi', 'ephemeral-storage': '100Gi', pods: '110' }

export interface NodesDeps {
  /** Absent: nothing is configured. */
  readonly settings?: ContainerSettings
  readonly options: UpOptions & KeptOptions
  readonly nodeName: string
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
  /** Of kubelets: `v1.36.3+tutti…`. */
  readonly version: string
  /** A way to the API as this node's own user. */
  identity(node: string): Transport
  /** The ranges of pods of this machine's node, one a family. */
  readonly podCidr?: string
  /** What this machine keeps for itself. */
  readonly limits?: NodeLimits
  /** Of the object of this machine's node. */
  readonly annotations?: Readonly<Record<string, string>>
  /** The addresses of this machine's node, one a family. */
  readonly addresses: readonly string[]
  /** Where this machine's node listens, and with what. */
  readonly server: NodeServerOptions
  /** What else is counted on this machine's node. */
  readonly families?: readonly Family[]
  /** A heartbeat failed: the way to the API may be a connection that is dead. */
  reconnect?(): void
}

/** How a program ends. */
export interface StopOptions {
  /** Workloads run on without it, are stopped in order first, or end with the machine as its owner has said. */
  readonly workloads: 'run on' | 'stop' | 'end with machine'
  /** How long they have at most. */
  readonly timeoutMs: number
}

export interface Nodes {
  /** By name, in order. */
  readonly apis: ReadonlyMap<string, NodeApi>
  /** RuntimeClass handlers that they have. */
  readonly handlers: readonly string[]
  /** What this machine cannot give, in sentences. */
  readonly notes: readonly string[]
  /** What this machine's node listens with. */
  readonly server: NodeServer | undefined
  /** Does to workloads what is wanted before everything else ends. Their objects stay. */
  stop(how: StopOptions): Promise<void>
  /** Resolves when the agents have let go, after `signal` aborted, and the runtimes are closed; these wait for `leave` where workloads were stopped. */
  close(): Promise<void>
  /** After that, when nothing runs any more: takes away what was started for workloads, and closes the runtimes. */
  leave(): Promise<void>
}

/** Resolves when every node is Ready. `signal` ends the agents, not the workloads. */
export async function startNodes(deps: NodesDeps, signal: AbortSignal): Promise<Nodes> {
  const { options, network } = deps
  const isSimulated = options.runtime === 'simulated'
  const containers = isSimulated ? undefined : await openContainers({ ...deps, mode: network.describe().mode })
  const nodes = containers ? [await thisNode(deps, containers)] : simulatedNodes(deps)
  const agents = await Promise.all(nodes.map(each => startAgent(each, signal)))
  const runtimes = nodes.flatMap(each => each.runtimes)
  const closeRuntimes = async () => {
    for (const runtime of runtimes) await runtime.close()
  }
  let isLeaving = false
  return {
    apis: new Map(agents.map((agent, at) => [nodes[at]!.nodeName, agent.api])),
    handlers: [...new Set(runtimes.flatMap(each => each.capabilities.handlers).filter(each => each !== ''))],
    notes: containers?.notes ?? [],
    server: agents[0]?.server,
    async stop({ workloads, timeoutMs }) {
      isLeaving = workloads === 'stop'
      if (isLeaving) await Promise.all(agents.map(agent => agent.drain(timeoutMs)))
      if (workloads === 'end with machine') await Promise.all(agents.map(agent => agent.shutDown(timeoutMs)))
    },
    async close() {
      await Promise.all(agents.map(agent => agent.ended))
      if (!isLeaving) await closeRuntimes()
    },
    async leave() {
      await containers?.leave()
      await closeRuntimes()
      if (!isSimulated) await (await import('../agent/shutdown/delay.ts')).forgetDelay()
    },
  }
}

type AgentDeps = Parameters<typeof startAgent>[0]

/** What all nodes of this machine share. */
const shared = ({ clock, logger, network, version, identity, options }: NodesDeps, nodeName: string) => ({
  nodeName,
  transport: identity(nodeName),
  clock,
  logger,
  podNetwork: network.podNetwork,
  serviceEnv: network.serviceEnv,
  version,
  ...(options.ending && { ending: options.ending }),
})

/** What runs plain processes on this machine. */
export const openProcesses = (
  { options, settings, nodeName, mode, clock, logger }: RuntimesDeps,
  containers: Runtimes,
): Promise<RuntimeDriver> =>
  openProcessDriver({
    podsDirectory: join(options.dataDir, 'pods'),
    cgroupRoot: groupsOf(nodeName),
    clock,
    logger,
    // Where there are no containers, a pod that does not choose is run by it, too.
    handlers: containers.drivers.length > 0 ? ['process'] : ['', 'process'],
    images: imagesOf(options.dataDir, clock, settings?.registries ?? []),
    namespaces: mode !== 'portable',
  })

/** This machine, which runs containers where it can, and processes, and simulates pods that ask for it. */
async function thisNode(deps: NodesDeps, containers: Runtimes): Promise<AgentDeps> {
  const { options, nodeName, network, clock, settings } = deps
  const processes = await openProcesses({ ...deps, mode: network.describe().mode }, containers)
  const kubelet = await loadKubeletSettings(options.dataDir)
  const machine = thisMachine(options.dataDir, deps.limits)
  const isSliced = containers.cgroupDriver === 'systemd' && containers.drivers.length > 0
  const slices = isSliced
    ? (await import('../agent/cgroups/slices.ts')).openSlices(groupsOf(nodeName), runTool)
    : undefined
  await enforceAllocatable(groupsOf(nodeName), machine, slices)
  const machineShutdown = await listenToMachine(kubelet.settings.shutdown, deps)
  return {
    ...shared(deps, nodeName),
    dataDir: options.dataDir,
    ...kubelet,
    ...(machineShutdown && { machineShutdown }),
    runtimes: [...containers.drivers, processes, simulatedRuntime(clock, ['simulated'], addresses(SIMULATED_PODS))],
    machine,
    addresses: deps.addresses.map(address => ({ type: 'InternalIP', address })),
    ...(deps.podCidr && { podCidr: deps.podCidr }),
    ...(settings?.devicePlugins && { devicePlugins: settings.devicePlugins }),
    server: deps.server,
    ...(deps.families && { families: deps.families }),
    ...(deps.reconnect && { reconnect: deps.reconnect }),
    ...(deps.annotations && { annotations: deps.annotations }),
  }
}

/** What tells of the machine's shutdown, where pods are to have time for it; the code is loaded only then. */
async function listenToMachine(
  periods: readonly ShutdownPeriod[],
  { clock, logger }: NodesDeps,
): Promise<ShutdownSource | undefined> {
  if (periods.length === 0) return undefined
  if (!isBootedBySystemd() || isInside()) {
    logger.warn({}, 'shutdowns of the machine are heard of only by root, from systemd: SIGTERM is what is left')
    return undefined
  }
  const [{ logindSource }, { programsOf }, { allowDelay }] = await Promise.all([
    import('../agent/shutdown/logind.ts'),
    import('../agent/shutdown/programs.ts'),
    import('../agent/shutdown/delay.ts'),
  ])
  return logindSource({ programs: programsOf(process.env), delayMs: wholePeriod(periods), allowDelay, clock, logger })
}

/** Nodes that run any image without running anything. */
function simulatedNodes(deps: NodesDeps): AgentDeps[] {
  const { options, clock } = deps
  const podAddress = addresses(SIMULATED_PODS)
  const nodeAddress = addresses(SIMULATED_NODES)
  const { info } = thisMachine(options.dataDir)
  const machine: Machine = { info, capacity: SIMULATED_CAPACITY }
  return Array.from({ length: options.nodes }, (_, at) => {
    const nodeName = `simulated-${at + 1}`
    return {
      ...shared(deps, nodeName),
      dataDir: join(options.dataDir, 'nodes', nodeName),
      // Whatever a pod asks for is simulated.
      runtimes: [simulatedRuntime(clock, ['', 'containers', 'process', 'simulated'], podAddress, true)],
      addresses: [{ type: 'InternalIP', address: nodeAddress() }],
      machine,
    }
  })
}

const simulatedRuntime = (
  clock: Clock,
  handlers: readonly string[],
  address: () => string,
  anyHandler = false,
): RuntimeDriver => openSimulatedDriver({ clock, handlers, anyHandler, address, script: annotatedScripts })

/** Gives out a network's addresses one after the other, and begins anew at its end. */
function addresses(cidr: ReturnType<typeof parseCidr>): () => string {
  let next = 0
  return () => addressAt(cidr, (next = next >= cidr.size - 2 ? 1 : next + 1))
}
