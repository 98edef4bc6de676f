/** The parts of a cluster on one machine, started in their order and stopped in the reverse. */

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { UserInfo } from '../apiserver/authentication/authenticator.ts'
import { createTokenSigner } from '../apiserver/authentication/service-accounts/token-signer.ts'
import { publishClusterInfo, publishNetworkConfig } from '../apiserver/bootstrap/cluster-info.ts'
import { extendServer } from '../apiserver/bootstrap/extend.ts'
import { kubernetesServiceIP, publishKubernetesService } from '../apiserver/bootstrap/kubernetes-service.ts'
import { remoteNodes } from '../apiserver/nodes/remote-nodes.ts'
import { type ApiServer, createApiServer } from '../apiserver/server.ts'
import { requireKind } from '../apiserver/subresources/request-parts.ts'
import { type Exposure, type UpOptions, UserError } from '../cli/context.ts'
import { ownKubeconfig } from '../cli/kubeconfig.ts'
import { createClient } from '../client/client.ts'
import { createInformers } from '../client/informers.ts'
import type { NodeApi } from '../client/node-api.ts'
import { runAll } from '../control/lifetime.ts'
import { controllerUser } from '../controllers/accounts.ts'
import { controllerComponents } from '../controllers/all.ts'
import { firstRanges } from '../controllers/node-ipam/controller.ts'
import { ingressGateway } from '../gateway/gateway.ts'
import { leading } from '../gateway/ingress/role.ts'
import { countedElsewhere } from '../gateway/metrics.ts'
import type { Clock } from '../lib/clock.ts'
import { hostPort } from '../lib/host-port.ts'
import { buildKubeconfig, writeKubeconfigJson } from '../lib/kubeconfig.ts'
import type { Logger } from '../lib/log.ts'
import { foresee, openPki } from '../lib/pki/files.ts'
import { networkClaims } from '../network/claim.ts'
import type { Choice } from '../network/detect.ts'
import { removeNetwork } from '../network/kernel-network.ts'
import { prepareNetwork } from '../network/network.ts'
import { CLUSTER_DOMAIN } from '../network/parts.ts'
import { endHolder } from '../network/rootless/holder.ts'
import { isInside, openHostPorts, publishPort } from '../network/rootless/porter.ts'
import { createScheduler } from '../scheduler/scheduler.ts'
import { openSqliteStore } from '../store/sqlite/sqlite.ts'
import { StoreError } from '../store/store.ts'
import { configurationIn } from './configuration/configuration.ts'
import { encryptBy, ownEncryption } from './configuration/encryption.ts'
import { ingressOfNodes, ingressPorts } from './configuration/ingress.ts'
import { loadSettings, type Settings } from './configuration/settings.ts'
import { createEnds, type Ends } from './ends.ts'
import { exposureOf, keepExposure } from './exposure.ts'
import { dataPlaneOf } from './ingress-data-plane.ts'
import { type KeptOptions, keepOptions } from './kept-options.ts'
import { nodeAddresses } from './node-addresses.ts'
import { type StopOptions, startNodes } from './nodes.ts'
import { partMetrics } from './part-metrics.ts'
import { portableKinds } from './portable-kinds.ts'
import { gitVersion, versionInfo } from './version.ts'

export interface CoreDeps {
  readonly options: UpOptions & KeptOptions
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
  /** Ends everything. */
  stop(how: StopOptions): Promise<void>
}

/** The thread of the store: a file of its own in the bundle. */
const sqliteWorker = () =>
  import.meta.filename.endsWith('.ts') ? {} : { workerUrl: new URL('./sqlite-worker.js', import.meta.url) }

/** What a person can do about a store that fails at the start. */
const storeHints: Partial<Record<StoreError['code'], string>> = {
  'in-use': 'Another tutti runs on this data directory: tutti status.',
  full: 'Make room on this disk, then start again: nothing is lost.',
  foreign: 'Name another folder with --data-dir.',
  corrupt: 'Restore the file from a backup, or begin anew with another --data-dir.',
}

/** An error of the start, with what a person can do about it where that is known. */
function explained(error: unknown): unknown {
  if (error instanceof UserError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const hint = error instanceof StoreError ? storeHints[error.code] : code === 'ENOSPC' ? storeHints.full : undefined
  return hint ? new UserError(message, hint, { cause: error }) : error
}

/** Starts everything; resolves when the API answers and the node is Ready. A start that fails leaves nothing running. */
export async function startCore(deps: CoreDeps): Promise<Core> {
  const ends = createEnds()
  try {
    const { config, dataDir, ending } = deps.options
    const settings = await loadSettings(config ?? configurationIn(dataDir), { ...deps, uuid: randomUUID })
    const ground = await prepareGround(deps, settings, ends)
    const api = await serveApi(deps, ground, ends)
    const { traffic, nodes } = await startParts(deps, ground, api, ends)
    // A start that failed, for a runtime that is not there, is no wish for the next one.
    const changed = ending ? [] : keepOptions(dataDir, { ...deps.options, port: api.port })
    return {
      server: api.url,
      nodeName: [...nodes.apis.keys()].join(', '),
      network: traffic.describe(),
      runtimes: nodes.handlers,
      notes: [...changed, ...nodes.notes],
      async stop(how) {
        await nodes.stop(how)
        await ends.run()
        if (how.workloads !== 'stop') return
        await nodes.leave()
        await leaveMachine(deps, ground)
      },
    }
  } catch (error) {
    await ends.run()
    throw explained(error)
  }
}

/** What everything stands on: the store, a place in the network, certificates. */
async function prepareGround(
  { options, network, nodeName, clock, logger, onPhase }: CoreDeps,
  settings: Settings,
  ends: Ends,
) {
  const { dataDir } = options
  const { mode, notes } = network
  const pkiFolder = join(dataDir, 'pki')
  const exposure = exposureOf(options)
  if (exposure && mode === 'rootless')
    throw new UserError(
      'other machines cannot reach a rootless cluster',
      'Start it as root, or without --advertise-address in another --data-dir.',
    )
  onPhase('opening the store')
  foresee(pkiFolder)
  const plain = await openSqliteStore(join(dataDir, 'state.db'), { clock, ...sqliteWorker() })
  ends.add(() => plain.close())
  const { serviceCidr, encryption } = settings
  const encrypted =
    encryption === false
      ? undefined
      : await encryptBy(plain, encryption ?? ownEncryption(dataDir), { clock, logger, uuid: randomUUID })
  if (encrypted) ends.add(() => encrypted.close())

  onPhase('preparing the network')
  const claims = mode === 'kernel' ? networkClaims() : undefined
  const hostPorts = isInside() ? openHostPorts() : undefined
  const clusterCidr = settings.nodeRanges.map(range => range.clusterCidr).join()
  const podCidr = mode === 'portable' ? undefined : firstRanges(settings.nodeRanges).join()
  const others = exposure && nodeAddresses(exposure.advertiseAddress, podCidr ?? '')
  const machines = mode === 'kernel' && others && { clusterCidr, addresses: others, leads: true }
  const { addressPools } = settings
  if (addressPools.length && !machines && !options.ending)
    throw new UserError(
      'network.loadBalancerPools needs a cluster that other machines reach, with a kernel network',
      'Say by which address: tutti up --advertise-address 192.168.1.10, as root.',
    )
  const prepared = await prepareNetwork(
    {
      ...{ mode, notes, dataDir, nodeName, serviceCidr, addressPools },
      ...(hostPorts && { listenOnHost: hostPorts.listen }),
      ...(podCidr && { podCidr }),
      ...(machines && { machines, exposed: true }),
      foreignPods: (options.runtimeEndpoint ?? settings.containers.runtimeEndpoint) !== undefined,
    },
    { clock, logger },
  )

  const addresses = others ?? prepared.nodeAddresses

  onPhase('making certificates')
  const pki = openPki({
    dir: pkiFolder,
    clock,
    hosts: [nodeName, ...prepared.nodeAddresses, ...addresses, ...(exposure ? exposedNames(exposure) : [])],
    serviceIP: kubernetesServiceIP(serviceCidr),
  })
  const [authority, own, admin, proxyAuthority] = await Promise.all([
    pki.authority(),
    pki.server(),
    pki.admin(),
    pki.frontProxyAuthority(),
  ])
  const trust = {
    clientCa: authority.certificate,
    frontProxyCa: proxyAuthority.certificate,
    names: ['front-proxy-client'],
  }
  const tokenKey = pki.tokenKey()
  const frontProxy = { trust, client: pki.frontProxyClient }
  return {
    settings,
    /** How Ingresses are served; absent: they are not. */
    ingress: settings.ingress && { ...settings.ingress, ...options.ingressPorts },
    plain,
    encrypted,
    claims,
    hostPorts,
    exposure,
    podCidr,
    machines,
    prepared,
    /** Of this machine, as the cluster knows it, one a family. */
    addresses,
    clusterCidr,
    pki,
    tokenKey,
    authority,
    own,
    admin,
    frontProxy,
  }
}
type Ground = Awaited<ReturnType<typeof prepareGround>>

/** The API server on its port, with the kubeconfig that leads to it. */
async function serveApi({ options, network, version, clock, logger, onPhase }: CoreDeps, ground: Ground, ends: Ends) {
  const { settings, plain, encrypted, addresses, exposure, pki, authority, own, admin, tokenKey, frontProxy } = ground
  const { kinds, featuresOff, serviceCidr, audit, extension } = settings
  onPhase('starting the API server')
  const agents = new Map<string, NodeApi>()
  const metrics = partMetrics(clock)
  const gateway = countedElsewhere(clock)
  const server = await createApiServer({
    store: encrypted?.store ?? plain,
    kinds: network.mode === 'portable' ? portableKinds(kinds) : kinds,
    clock,
    logger,
    version: versionInfo(version),
    families: [...metrics.families, ...gateway.families],
    featuresOff,
    ...(encrypted && { isStale: encrypted.store.isStale, checks: encrypted.checks }),
    ...(audit && { audit }),
    extend(registry) {
      const others = remoteNodes({
        nodes: registry.reader(requireKind(registry, 'v1/nodes')),
        pods: registry.reader(requireKind(registry, 'v1/pods')),
        trust: { authority: authority.certificate, client: pki.kubeletClient },
      })
      return extendServer(registry, {
        clock,
        logger,
        tokenKey,
        frontProxy,
        nodes: name => agents.get(name) ?? others(name),
        serviceCidr,
        ...extension,
      })
    },
  })
  ends.add(() => server.close())
  const port = await listen(server, options.port, ground)
  const url = `https://127.0.0.1:${port}`
  const { certificate, key } = admin
  writeKubeconfigJson(
    ownKubeconfig(options.dataDir),
    buildKubeconfig({ name: 'tutti', server: url, authority: authority.certificate, certificate, key }),
  )
  const [address] = addresses
  await publishKubernetesService(server.registry, { address, port, serviceCidr })
  if (exposure) {
    await publishNetworkConfig(server.registry, {
      mode: network.mode,
      clusterCIDR: ground.clusterCidr,
      serviceCIDR: serviceCidr,
      clusterDomain: CLUSTER_DOMAIN,
      ...ingressOfNodes(ground.ingress),
    })
    await publishClusterInfo(server.registry, `https://${hostPort(address, port)}`, authority.certificate)
    keepExposure(options.dataDir, exposure)
  }
  // Only a cluster that has come this far owns the machine's network.
  ground.claims?.claim(options.dataDir)
  return { server, agents, url, port, own, metrics, gateway }
}
type Api = Awaited<ReturnType<typeof serveApi>>

/** Every address of the machine; the second one of both families. */
const ANY = ['0.0.0.0', '::']

/** What the server's certificate must name for other machines. */
const exposedNames = ({ advertiseAddress, listen, names }: Exposure) => [
  ...new Set([advertiseAddress, ...listen.filter(each => !ANY.includes(each)), ...names]),
]

/** Where the cluster is reached: on loopback, where pods find the node, and where other machines do. */
function hostsOf({ prepared, exposure }: Pick<Ground, 'prepared' | 'exposure'>): string[] {
  const hosts = ['127.0.0.1', ...prepared.nodeAddresses, ...(exposure?.listen ?? [])]
  const everywhere = hosts.find(each => ANY.includes(each))
  return everywhere ? [everywhere] : [...new Set(hosts)]
}

/** Listens on loopback and where pods find the node; resolves with the port. Rejects with a `UserError`. */
async function listen(server: ApiServer, wanted: number, ground: Ground) {
  const { hostPorts, own, frontProxy } = ground
  const inUse = (port: number) => (cause: Error) => {
    throw new UserError(cause.message, `Take another port: tutti up --port ${port + 1}, or 0 for a free one.`, {
      cause,
    })
  }
  const hosts = hostsOf(ground)
  const tls = {
    cert: own.certificate,
    key: own.key,
    clientCa: `${frontProxy.trust.clientCa}${frontProxy.trust.frontProxyCa}`,
  }
  const { port } = await server.listen({ hosts, port: wanted, tls }).catch(inUse(wanted))
  if (hostPorts) await publishPort(hostPorts.listen, port).catch(inUse(port))
  return port
}

/** Clients of the API server inside this program, each with the rights of its user. */
function clientsOf(
  { server, metrics }: Pick<Api, 'server' | 'metrics'>,
  told: Pick<CoreDeps, 'clock' | 'logger'>,
  signal: AbortSignal,
) {
  const part = (user: UserInfo) => {
    const transport = metrics.metered(server.transport(user))
    const client = createClient(transport)
    return { transport, client, informers: createInformers(client, told, signal) }
  }
  const identity = (name: string, ...groups: string[]) => part({ name, groups: [...groups, 'system:authenticated'] })
  return { part, identity }
}

/** Controllers and scheduler. */
function startControllers(
  { nodeName, clock, logger }: CoreDeps,
  { settings, machines, pki, authority, tokenKey }: Ground,
  { server, metrics }: Api,
  { identity }: ReturnType<typeof clientsOf>,
  ends: Ends,
): void {
  const components = controllerComponents(
    {
      ...identity('system:kube-controller-manager'),
      transportAs: account => metrics.metered(server.transport(controllerUser(account))),
      kinds: settings.kinds,
      whenUsed: server.registry.whenUsed,
      clock,
      logger,
      rootCa: authority.certificate,
      ...(machines && { nodeRanges: settings.nodeRanges }),
      serverNames: pki.hosts.filter(each => each !== nodeName),
      authority: async () => authority,
      signToken: createTokenSigner(tokenKey).signNow,
      metrics: metrics.controllers,
      localVolumes: true,
    },
    ends.signal,
  )
  const scheduler = createScheduler({ ...identity('system:kube-scheduler'), host: nodeName, clock, logger })
  const running = runAll([...components, scheduler], { clock, logger }, ends.signal)
  ends.add(() => running)
}

/** Controllers, scheduler, traffic and the node's agent: all of them clients of the API server. */
async function startParts(deps: CoreDeps, ground: Ground, api: Api, ends: Ends) {
  const { options, version, nodeName, clock, logger, onPhase } = deps
  const { server, agents, gateway } = api
  const { signal } = ends
  const { settings, podCidr, prepared, addresses, pki, authority } = ground
  const clients = clientsOf(api, { clock, logger }, signal)
  const { part, identity } = clients

  if (!options.ending) {
    onPhase('starting controllers and scheduler')
    startControllers(deps, ground, api, clients, ends)
  }

  onPhase('starting the network')
  const traffic = await prepared.start(identity('system:kube-proxy'), signal)
  ends.add(() => traffic.close())

  if (ground.ingress && !options.ending) {
    const own = part(controllerUser('ingress-controller'))
    const component = ingressGateway({
      ...own,
      services: traffic.services,
      openDataPlane: dataPlaneOf({
        ports: ingressPorts(ground.ingress),
        trustedProxies: ground.ingress.trustedProxies,
        ...(ground.hostPorts ? { socket: ground.hostPorts.socket } : { hosts: hostsOf(ground) }),
        counted: gateway,
        ...{ clock, logger },
      }),
      role: leading({ ...own, address: ground.exposure?.advertiseAddress ?? '127.0.0.1' }),
      whenUsed: server.registry.whenUsed,
      clock,
      logger,
    })
    const serving = runAll([component], { clock, logger }, signal)
    ends.add(() => serving)
  }

  onPhase('starting the node')
  const hosts = [...new Set([...prepared.nodeAddresses, ...addresses])]
  const nodes = await startNodes(
    {
      options,
      nodeName,
      network: traffic,
      clock,
      logger,
      version: gitVersion(version),
      addresses,
      limits: settings.nodeLimits,
      ...(podCidr && { podCidr }),
      settings: settings.containers,
      server: { hosts, clientCa: authority.certificate, certificate: await pki.kubelet(nodeName, hosts) },
      identity: name => identity(`system:node:${name}`, 'system:nodes').transport,
    },
    signal,
  )
  for (const [name, api] of nodes.apis) agents.set(name, api)
  ends.add(() => nodes.close())
  return { traffic, nodes }
}

/** Nothing runs any more: the machine is left as it was found. */
async function leaveMachine(
  { options, network: { mode } }: CoreDeps,
  { settings, podCidr, claims }: Ground,
): Promise<void> {
  const { dataDir } = options
  if (mode === 'kernel')
    await removeNetwork({ dataDir, serviceCidr: settings.serviceCidr, ...(podCidr && { podCidr }) })
  if (mode === 'rootless') endHolder(dataDir)
  claims?.release(dataDir)
}
