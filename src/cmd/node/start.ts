/** Composition root of a node on a machine of its own: agent and network, clients of an API server elsewhere. */
import { X509Certificate } from 'node:crypto'
import type { Node } from '../../api/generated/types/core-v1.ts'
import { Node as NodeKind } from '../../api/kinds/core/node.ts'
import { type NodeOptions, UserError } from '../../cli/context.ts'
import { ownKubeconfig } from '../../cli/kubeconfig.ts'
import { isMember } from '../../cli/membership.ts'
import { requestCertificate } from '../../client/certificate.ts'
import { type Client, createClient } from '../../client/client.ts'
import { createHttpsTransport, type HttpsTransport } from '../../client/https-transport.ts'
import { createInformers, type Informers } from '../../client/informers.ts'
import { countedElsewhere } from '../../gateway/metrics.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import { buildKubeconfig, writeKubeconfigJson } from '../../lib/kubeconfig.ts'
import type { Logger } from '../../lib/log.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import { networkClaims } from '../../network/claim.ts'
import { removeNetwork } from '../../network/kernel-network.ts'
import { prepareNetwork } from '../../network/network.ts'
import type { NetworkApi } from '../../network/parts.ts'
import type { Core } from '../core.ts'
import { createEnds, type Ends, stayAwake } from '../ends.ts'
import { nodeAddresses } from '../node-addresses.ts'
import { type Nodes, startNodes } from '../nodes.ts'
import { gitVersion, KUBERNETES_VERSION } from '../version.ts'
import { addressTowards, enroll, MACHINE_ANNOTATION, networkConfig } from './enroll.ts'
import { serveNodeIngresses } from './ingress.ts'
import { joinCluster } from './join.ts'
import { machineSettings } from './machine-settings.ts'
import { certificateFiles, keepPlace, type Membership, type Place, readMembership, upOptions } from './membership.ts'
import { keepFresh } from './rotation.ts'
import { clientWish, servingWish, trafficWish } from './wishes.ts'

export interface NodeProgramDeps {
  readonly options: NodeOptions
  /** As it was said, or after the machine; the name that joined goes before. */
  readonly nodeName: string
  readonly version: string
  readonly clock: Clock
  readonly logger: Logger
  onPhase(phase: string): void
}

const CERTIFICATE_MS = 60_000
/** What pods have for their end when another machine runs them already, ms. */
const REPLACED_GRACE_MS = 10_000

/** Starts the node; resolves when it is Ready. A start that fails leaves nothing running. */
export async function startNodeProgram(deps: NodeProgramDeps): Promise<Core> {
  const ends = createEnds()
  const { options, nodeName, clock, logger, onPhase } = deps
  // Nothing else holds the program while the server is away: its timers and what it listens with do not.
  ends.add(stayAwake())
  try {
    const membership = isMember(options.dataDir)
      ? readMembership(options.dataDir)
      : await joinCluster(options, nodeName, {
          ...{ clock, logger, onPhase },
          signal: ends.signal,
          version: KUBERNETES_VERSION,
        })
    const way = openWay(deps, membership, ends)
    const place = await findPlace(deps, membership, way.client, ends.signal)
    const { nodes, traffic, addresses, leave } = await startParts(deps, membership, way, place, ends)
    void way.keepFresh(ends.signal)
    void keepServing({ ...deps, membership, addresses }, way.client, nodes, ends.signal)
    return {
      server: membership.server,
      nodeName: membership.nodeName,
      network: traffic.describe(),
      runtimes: nodes.handlers,
      notes: nodes.notes,
      async stop(how) {
        await nodes.stop(how)
        await ends.run()
        if (how.workloads === 'stop') await leave()
      },
    }
  } catch (error) {
    await ends.run()
    throw error
  }
}

interface Way {
  readonly client: Client
  readonly https: HttpsTransport
  /** Makes the node's certificate anew before it ends, until the signal aborts. */
  keepFresh(signal: AbortSignal): Promise<void>
}

/** Connections to the API server by a certificate; `use` makes them by another one from now on. */
function openHttps(
  { clock, logger }: NodeProgramDeps,
  { server, authority }: Membership,
  { first, userAgent }: { readonly first: KeyPair; readonly userAgent: string },
  ends: Ends,
): { readonly https: HttpsTransport; use(pair: KeyPair): void } {
  let current = first
  const https = createHttpsTransport({
    server,
    ca: authority,
    credentials: () => ({ cert: current.certificate, key: current.key }),
    userAgent,
    clock,
    logger,
  })
  ends.add(() => https.close())
  return {
    https,
    use(pair) {
      current = pair
      https.renew()
    },
  }
}

/** The way to the API server, by the node's own certificate. Throws a `UserError` where that is of no use any more. */
function openWay(deps: NodeProgramDeps, membership: Membership, ends: Ends): Way {
  const { options, clock } = deps
  const { server, authority, nodeName } = membership
  const files = certificateFiles(options.dataDir, 'client')
  const first = files.read()
  const again = 'Remove it and join again: tutti delete, then tutti join with a new token.'
  if (!first) throw new UserError('the certificate of this node is lost', again)
  const until = endOf(first)
  if (until < clock.now())
    throw new UserError(
      `the certificate of this node ended on ${new Date(until).toISOString().slice(0, 10)}, while the node was away`,
      `Is the clock of this machine right? ${again}`,
    )
  const writeKubeconfig = ({ certificate, key }: KeyPair) =>
    writeKubeconfigJson(
      ownKubeconfig(options.dataDir),
      buildKubeconfig({ name: 'tutti', server, authority, certificate, key }),
    )
  writeKubeconfig(first)
  const { https, use } = openHttps(deps, membership, { first, userAgent: 'tutti-node' }, ends)
  const client = createClient(https.transport, { fieldManager: 'kubelet' })
  return {
    client,
    https,
    keepFresh: signal =>
      keepFresh(
        {
          what: 'the certificate of this node',
          current: first,
          renew: () => requestCertificate(client, clientWish(nodeName), { clock, withinMs: CERTIFICATE_MS, signal }),
          use(pair) {
            files.write(pair)
            writeKubeconfig(pair)
            use(pair)
          },
        },
        deps,
        signal,
      ),
  }
}

/** The way of the machine's traffic to the API server, by a certificate of its own, which the node asks for. */
async function openTraffic(
  deps: NodeProgramDeps,
  membership: Membership,
  node: Client,
  ends: Ends,
): Promise<NetworkApi & { reconnect(): void }> {
  const { options, clock, logger } = deps
  const { signal } = ends
  const files = certificateFiles(options.dataDir, 'traffic')
  const wanted = trafficWish(membership.nodeName)
  const renew = () => requestCertificate(node, wanted, { clock, withinMs: CERTIFICATE_MS, signal })
  const kept = files.read()
  const first = kept && endOf(kept) > clock.now() ? kept : await renew()
  files.write(first)
  const { https, use } = openHttps(deps, membership, { first, userAgent: 'tutti-node-traffic' }, ends)
  const rotation = {
    what: "the certificate of this node's traffic",
    current: first,
    renew,
    use(pair: KeyPair) {
      files.write(pair)
      use(pair)
    },
  }
  void keepFresh(rotation, deps, signal)
  const client = createClient(https.transport, { fieldManager: 'kube-proxy' })
  const informers = createInformers(client, { clock, logger }, signal)
  return { client, informers, reconnect: () => https.renew(true) }
}

const endOf = ({ certificate }: KeyPair) => new X509Certificate(certificate).validToDate.getTime()

/** What the cluster gives the node: how its network is laid out, and a range for its pods. */
async function findPlace(
  { options, clock, onPhase }: NodeProgramDeps,
  { server, nodeName, machine, ...membership }: Membership,
  client: Client,
  signal: AbortSignal,
) {
  onPhase('taking a place in the cluster')
  try {
    const address = options.address ?? membership.address ?? (await addressTowards(server))
    const network = await networkConfig(client)
    const podCidr = await enroll(client, { nodeName, machine, clock, signal })
    const place = { address, network, podCidr }
    keepPlace(options.dataDir, place)
    return place
  } catch (cause) {
    if (cause instanceof UserError) throw cause
    const { message } = cause as Error
    if (/Unauthorized|unknown authority/.test(message))
      throw new UserError(
        `the cluster at ${server} does not know this node's certificate: it is another cluster by now`,
        'Remove this one and join again: tutti delete, then tutti join with a new token.',
        { cause },
      )
    if (/self.signed certificate|unable to verify|certificate signature failure/i.test(message))
      throw new UserError(
        `what answers at ${server} is not the cluster that this node joined: its certificate is by another CA`,
        'If the cluster was made anew: tutti delete here, then tutti join with a new token.',
        { cause },
      )
    if (/not yet valid|has expired|CERT_/i.test(message))
      throw new UserError(
        `the certificate of ${server} is not good at this time: ${message}`,
        'Set the clocks of both machines right.',
        { cause },
      )
    throw new UserError(`the cluster cannot be reached at ${server}: ${message}`, 'On the server: tutti status.', {
      cause,
    })
  }
}

/** Network and agent. */
async function startParts(
  deps: NodeProgramDeps,
  membership: Membership,
  { client, https }: Way,
  { address, network, podCidr }: Place,
  ends: Ends,
) {
  const { signal } = ends
  const { options, version, clock, logger, onPhase } = deps
  const { dataDir } = options
  const { nodeName, machine, authority } = membership
  const { limits, containers } = await machineSettings(dataDir)
  onPhase('starting the network')
  const claims = networkClaims()
  claims.claim(dataDir)
  const { clusterCidr, serviceCidr, clusterDomain } = network
  const addresses = nodeAddresses(address, podCidr)
  const prepared = await prepareNetwork(
    {
      mode: 'kernel',
      ...{ dataDir, nodeName, podCidr, serviceCidr, clusterDomain },
      exposed: true,
      machines: { clusterCidr, addresses, leads: false },
    },
    { clock, logger },
  )
  const trafficWay = await openTraffic(deps, membership, client, ends)
  const traffic = await prepared.start(trafficWay, signal)
  ends.add(() => traffic.close())

  const gateway = countedElsewhere(clock)
  const hosts = [...new Set([...prepared.nodeAddresses, ...addresses])]
  if (network.ingress) {
    const ingresses = serveNodeIngresses(
      {
        settings: network.ingress,
        counted: gateway,
        hosts: ['127.0.0.1', ...hosts],
        ...{ nodeName, node: client, traffic: trafficWay, services: traffic.services, clock, logger },
      },
      signal,
    )
    ends.add(() => ingresses)
  }

  onPhase('starting the node')
  const serving = certificateFiles(dataDir, 'serving').read()
  const nodes = await startNodes(
    {
      options: upOptions(dataDir, membership),
      settings: containers,
      ...{ nodeName, addresses, podCidr, clock, logger },
      network: traffic,
      version: gitVersion(version),
      server: {
        hosts,
        clientCa: authority,
        ...(serving && { certificate: serving }),
      },
      limits,
      annotations: { [MACHINE_ANNOTATION]: machine },
      families: gateway.families,
      identity: () => https.transport,
      reconnect() {
        https.renew(true)
        trafficWay.reconnect()
      },
    },
    signal,
  )
  ends.add(() => nodes.close())
  onceReplaced(createInformers(client, { clock, logger }, signal), { nodeName, machine }, async () => {
    logger.error({ node: nodeName }, 'another machine has become this node: what runs here is ended')
    await nodes.stop({ workloads: 'stop', timeoutMs: REPLACED_GRACE_MS })
    process.kill(process.pid, 'SIGTERM')
  })
  return {
    nodes,
    traffic,
    addresses,
    async leave() {
      await nodes.leave()
      await removeNetwork({ dataDir, podCidr, serviceCidr })
      claims.release(dataDir)
    },
  }
}

/** Calls `then` when the node's object says that another machine is the node: pods that run here run there, too. */
function onceReplaced(
  informers: Informers,
  { nodeName, machine }: Pick<Membership, 'nodeName' | 'machine'>,
  then: () => Promise<void>,
): void {
  const own = informers.of<Node>(NodeKind, { fieldSelector: `metadata.name=${nodeName}` })
  const end = own.onChange(({ current }) => {
    const owner = current?.metadata?.annotations?.[MACHINE_ANNOTATION]
    if (owner === undefined || owner === machine) return
    end()
    void then()
  })
}

interface ServingDeps extends NodeProgramDeps {
  readonly membership: Membership
  readonly addresses: readonly string[]
}

/** Whether a certificate is good for these addresses now. */
function isGood(pair: KeyPair | undefined, addresses: readonly string[], now: number): pair is KeyPair {
  if (!pair) return false
  try {
    const certificate = new X509Certificate(pair.certificate)
    return (
      certificate.validToDate.getTime() > now && addresses.every(address => certificate.checkIP(address) !== undefined)
    )
  } catch {
    return false
  }
}

/** The certificate that the node serves with: asked for once its object names its addresses, and kept fresh. */
async function keepServing(
  { options, membership: { nodeName }, addresses, clock, logger }: ServingDeps,
  client: Client,
  nodes: Nodes,
  signal: AbortSignal,
): Promise<void> {
  const files = certificateFiles(options.dataDir, 'serving')
  const kept = files.read()
  const wanted = servingWish(nodeName, addresses)
  const renew = () => requestCertificate(client, wanted, { clock, withinMs: CERTIFICATE_MS, signal })
  const use = (pair: KeyPair) => {
    files.write(pair)
    nodes.server?.use(pair)
  }
  let current = isGood(kept, addresses, clock.now()) ? kept : undefined
  for (let wait = 1000; !current && !signal.aborted; wait = Math.min(wait * 2, 60_000)) {
    try {
      current = await renew()
      use(current)
    } catch (error) {
      if (signal.aborted) return
      logger.warn({ err: error, retryInMs: wait }, 'the node has no certificate to serve with: its logs cannot be read')
      await sleep(clock, wait, signal)
    }
  }
  if (current) await keepFresh({ what: 'the serving certificate', current, renew, use }, { clock, logger }, signal)
}
