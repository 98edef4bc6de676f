/** The parts of a cluster on one machine, started in their order and stopped in the reverse. */
import { join } from 'node:path'
import { startAgent } from '../agent/agent.ts'
import { openProcessDriver } from '../agent/runtimes/process/driver.ts'
import { kinds } from '../api/kinds/all.ts'
import { extendServer } from '../apiserver/bootstrap/extend.ts'
import { publishKubernetesService } from '../apiserver/bootstrap/kubernetes-service.ts'
import { createApiServer, type VersionInfo } from '../apiserver/server.ts'
import { type UpOptions, UserError } from '../cli/context.ts'
import { ownKubeconfig } from '../cli/kubeconfig.ts'
import { createClient } from '../client/client.ts'
import { createInformers } from '../client/informers.ts'
import type { NodeApi } from '../client/node-api.ts'
import { runAll } from '../control/lifetime.ts'
import { controllerComponents } from '../controllers/all.ts'
import type { Clock } from '../lib/clock.ts'
import { buildKubeconfig, writeKubeconfig } from '../lib/kubeconfig.ts'
import type { Logger } from '../lib/log.ts'
import { openPki } from '../lib/pki/files.ts'
import { networkClaims } from '../network/claim.ts'
import type { Choice } from '../network/detect.ts'
import { removeKernelNetwork } from '../network/kernel-setup.ts'
import { netnsDirectory, prepareNetwork } from '../network/network.ts'
import { endHolder } from '../network/rootless/holder.ts'
import { createHostListen, isInside, publishPort } from '../network/rootless/porter.ts'
import { createScheduler } from '../scheduler/scheduler.ts'
import { openSqliteStore } from '../store/sqlite/sqlite.ts'
import { StoreError } from '../store/store.ts'
import { portableKinds } from './portable-kinds.ts'
import { KUBERNETES_VERSION } from './version.ts'

export const SERVICE_CIDR = '10.96.0.0/16'

export interface CoreDeps {
  readonly options: UpOptions
  /** The network's mode, and why it is not a better one. */
  readonly network: Choice
  readonly version: string
  readonly nodeName: string
  readonly clock: Clock
  readonly logger: Logger
  onPhase(phase: string): void
}

export interface Core {
  readonly server: string
  readonly nodeName: string
  readonly network: { readonly mode: string; readonly notes: readonly string[] }
  readonly runtimes: readonly string[]
  readonly notes: readonly string[]
  /** Ends everything; `workloads` are stopped in order first, or left to run on. */
  stop(options: { readonly workloads: boolean; readonly timeoutMs: number }): Promise<void>
}

const versionInfo = (program: string): VersionInfo => ({
  major: '1',
  minor: '36',
  gitVersion: `${KUBERNETES_VERSION}+tutti.${program}`,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: `node ${process.version}`,
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
})

/** The thread of the store: a file of its own in the bundle. */
const sqliteWorker = () =>
  import.meta.filename.endsWith('.ts') ? {} : { workerUrl: new URL('./sqlite-worker.js', import.meta.url) }

/** What a person can do about a store that does not open. */
const storeHints: Partial<Record<StoreError['code'], string>> = {
  'in-use': 'Another tutti runs on this data directory: tutti status.',
  full: 'Make room on this disk, then start again: nothing is lost.',
  foreign: 'Name another folder with --data-dir.',
  corrupt: 'Restore the file from a backup, or begin anew with another --data-dir.',
}

const openStore = (dataDir: string, clock: Clock) =>
  openSqliteStore(join(dataDir, 'state.db'), { clock, ...sqliteWorker() }).catch((cause: Error) => {
    throw new UserError(cause.message, cause instanceof StoreError ? storeHints[cause.code] : undefined, { cause })
  })

/** Starts everything; resolves when the API answers and the node is Ready. */
export async function startCore(deps: CoreDeps): Promise<Core> {
  const { options, network, version, nodeName, clock, logger, onPhase } = deps
  const { dataDir } = options
  const ends: (() => unknown)[] = []
  const agents = new Map<string, NodeApi>()
  const scope = new AbortController()

  onPhase('opening the store')
  const store = await openStore(dataDir, clock)
  ends.push(() => store.close())

  onPhase('preparing the network')
  const { mode, notes } = network
  const listenOnHost = isInside() ? createHostListen() : undefined
  const prepared = await prepareNetwork(
    { mode, notes, dataDir, nodeName, serviceCidr: SERVICE_CIDR, ...(listenOnHost && { listenOnHost }) },
    { clock, logger },
  )
  const claims = mode === 'kernel' ? networkClaims() : undefined
  claims?.claim(dataDir)

  onPhase('making certificates')
  const pki = openPki({ dir: join(dataDir, 'pki'), clock, hosts: [nodeName, prepared.nodeAddress] })
  const [authority, own, admin] = await Promise.all([pki.authority(), pki.server(), pki.admin()])

  onPhase('starting the API server')
  const server = await createApiServer({
    store,
    kinds: mode === 'portable' ? portableKinds(kinds) : kinds,
    clock,
    logger,
    version: versionInfo(version),
    extend: registry =>
      extendServer(registry, {
        clock,
        logger,
        tokenKey: pki.tokenKey(),
        nodes: name => agents.get(name),
        serviceCidr: SERVICE_CIDR,
      }),
  })
  ends.push(() => server.close())
  const listening = await server
    .listen({
      hosts: [...new Set(['127.0.0.1', prepared.nodeAddress])],
      port: options.port,
      tls: { cert: own.certificate, key: own.key, clientCa: authority.certificate },
    })
    .catch((cause: Error) => {
      throw new UserError(
        cause.message,
        `Take another port: tutti up --port ${options.port + 1}, or 0 for a free one.`,
        { cause },
      )
    })
  if (listenOnHost)
    await publishPort(listenOnHost, listening.port).catch((cause: Error) => {
      throw new UserError(
        `port ${listening.port} of this machine is in use: ${cause.message}`,
        `Take another port: tutti up --port ${listening.port + 1}`,
        { cause },
      )
    })
  const url = `https://127.0.0.1:${listening.port}`
  await writeKubeconfig(
    ownKubeconfig(dataDir),
    buildKubeconfig({
      name: 'tutti',
      server: url,
      authority: authority.certificate,
      certificate: admin.certificate,
      key: admin.key,
    }),
  )
  await publishKubernetesService(server.registry, {
    address: prepared.nodeAddress,
    port: listening.port,
    serviceCidr: SERVICE_CIDR,
  })

  /** Client and informers of one of the cluster's own parts. */
  const identity = (name: string, ...groups: string[]) => {
    const transport = server.transport({ name, groups: [...groups, 'system:authenticated'] })
    const client = createClient(transport)
    return { transport, client, informers: createInformers(client, { clock, logger }, scope.signal) }
  }

  onPhase('starting controllers and scheduler')
  const manager = identity('system:kube-controller-manager')
  const components = controllerComponents({ ...manager, clock, logger, rootCa: authority.certificate }, scope.signal)
  const scheduler = createScheduler({ ...identity('system:kube-scheduler'), clock, logger })
  const running = runAll([...components, scheduler], { clock, logger }, scope.signal)
  ends.push(() => running)

  onPhase('starting the network')
  const traffic = await prepared.start(identity('system:kube-proxy'), scope.signal)
  ends.push(() => traffic.close())

  onPhase('starting the node')
  const driver = await openProcessDriver({
    podsDirectory: join(dataDir, 'pods'),
    cgroupRoot: `tutti/${nodeName}`,
    clock,
    logger,
    handlers: ['process'],
    namespaces: mode !== 'portable',
  })
  ends.push(() => driver.close())
  const agent = await startAgent(
    {
      transport: identity(`system:node:${nodeName}`, 'system:nodes').transport,
      clock,
      logger,
      nodeName,
      dataDir,
      runtimes: [driver],
      podNetwork: traffic.podNetwork,
      serviceEnv: traffic.serviceEnv,
      addresses: [{ type: 'InternalIP', address: prepared.nodeAddress }],
      version: `${KUBERNETES_VERSION}+tutti.${version}`,
    },
    scope.signal,
  )
  agents.set(nodeName, agent.api)
  ends.push(() => agent.ended)

  return {
    server: url,
    nodeName,
    network: traffic.describe(),
    runtimes: driver.capabilities.handlers,
    notes: [],
    async stop({ workloads, timeoutMs }) {
      if (workloads) await agent.drain(timeoutMs)
      scope.abort()
      for (const end of ends.reverse()) await end()
      if (!workloads) return
      // Nothing runs any more: the machine is left as it was found.
      if (mode === 'kernel')
        await removeKernelNetwork({
          nodeAddress: prepared.nodeAddress,
          serviceCidr: SERVICE_CIDR,
          netnsDirectory: netnsDirectory(mode, dataDir),
        })
      if (mode === 'rootless') endHolder(dataDir)
      claims?.release(dataDir)
    },
  }
}
