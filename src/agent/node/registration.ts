/**
 * The node's own object and its heartbeat. The object is written when it starts, and at once when somebody else says
 * that the node is not well (node lifecycle after a silence); the Lease every 10 seconds (KEP-589), which is the only
 * timer of an idle node, and every thirtieth beat renews the status too.
 */
import type { ContainerImage, Node, NodeAddress, NodeCondition } from '../../api/generated/types/core-v1.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { rfc3339, rfc3339Micro } from '../../api/machinery/time.ts'
import { createBackOff } from '../../client/back-off.ts'
import { type Client, hasReason } from '../../client/client.ts'
import { createInformer } from '../../client/informer.ts'
import { revisionOf } from '../../client/resource.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { PressureWatch } from '../pressure/watch.ts'
import { leases, nodes } from '../resources.ts'
import type { RuntimeCapabilities, RuntimeDriver } from '../runtimes/runtime.ts'
import { advertised } from './advertised.ts'
import { agrees, nodeConditions } from './conditions.ts'
import type { Machine } from './machine.ts'

const BEAT_MS = 10_000
export const LEASE_SECONDS = 40
const BEATS_PER_STATUS = 30
/** Between two contradictions: another writer that insists costs a request a second. */
const CONTRADICT_MS = 1000
const LEASE_NAMESPACE = 'kube-node-lease'

export interface NodeDeps {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  readonly name: string
  readonly addresses: readonly NodeAddress[]
  readonly labels: Readonly<Record<string, string>>
  /** Of a Node object that is made. One that is there and says otherwise is another machine's: it is left alone. */
  readonly annotations?: Readonly<Record<string, string>>
  readonly machine: Machine
  readonly runtimes: readonly RuntimeDriver[]
  /** Resources beside the machine's own, and who tells when they change. */
  readonly extended?: {
    resources(): Record<'capacity' | 'allocatable', Readonly<Record<string, string>>>
    onChange(changed: () => void): void
  }
  /** e.g. `v1.36.3+tutti`. */
  readonly version: string
  /** Where the node's own server listens, if it does. */
  readonly kubeletPort?: number
  /** For node.status.images. */
  images?(): Promise<readonly ContainerImage[]>
  /**
   * Called before the node tells its status at its start and every five minutes; what changes does not wait for it. What
   * it resolves with is told of images then.
   */
  tidy?(): Promise<readonly ContainerImage[] | undefined>
  /** Called when a heartbeat failed. */
  reconnect?(): void
  /** The range that its pods have their addresses from. */
  readonly podCidr?: string
  /** What the node runs short of; never anything when absent. It looks with every heartbeat. */
  readonly pressure?: Pick<PressureWatch, 'conditions' | 'look' | 'onChange'> | undefined
  /** Tells of the node in an event. */
  tell?(type: 'Normal' | 'Warning', reason: string, message: string): void
  /** Whether the node is about to stop with its pods; never when absent. */
  leaving?(): boolean
}

export interface RegisteredNode {
  /** As it was when it was Ready for the first time. */
  readonly node: Node
  /** The newest that is known of it. */
  current(): Node
  /** The node as it is now. Rejects where the server is away. */
  fetch(): Promise<Node>
  /** Writes the status as it is now. Rejects where that fails; it is tried again then. */
  tell(): Promise<void>
}

const conditionsNow = ({ pressure, leaving }: NodeDeps) => nodeConditions(pressure?.conditions(), leaving?.())

/** Conditions now; a time of transition is kept while the status stays. */
function conditions(deps: NodeDeps, old: readonly NodeCondition[], now: string): NodeCondition[] {
  return conditionsNow(deps).map(({ type, status, reason, message }) => {
    const before = old.find(each => each.type === type)
    const kept = before?.status === status ? before.lastTransitionTime : undefined
    return { type, status, lastHeartbeatTime: now, lastTransitionTime: kept ?? now, reason, message }
  })
}

/** Labels that every node has. */
function labelsOf({ name, labels, machine }: NodeDeps): Record<string, string> {
  const { architecture: arch, operatingSystem: system } = machine.info
  return {
    'beta.kubernetes.io/arch': arch,
    'beta.kubernetes.io/os': system,
    'kubernetes.io/arch': arch,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': system,
    ...labels,
  }
}

const featuresOf = ({ recursiveReadOnly = false, userNamespaces = false }: RuntimeCapabilities) => ({
  recursiveReadOnlyMounts: recursiveReadOnly,
  userNamespaces,
})

/** How much the node itself says that there is, by resource. */
const capacityOf = ({ machine, extended }: NodeDeps) => ({ ...machine.capacity, ...extended?.resources().capacity })

/** Those that can start pods now. */
const present = ({ runtimes }: NodeDeps) => runtimes.filter(each => !each.outage?.isLong())

function statusOf(
  deps: NodeDeps,
  old: Node | undefined,
  images: readonly ContainerImage[],
): NonNullable<Node['status']> {
  const { machine, runtimes, version, addresses, name, clock } = deps
  const capacity = capacityOf(deps)
  const usual = present(deps).find(({ capabilities }) => capabilities.handlers.includes(''))?.capabilities
  const takesAll = runtimes.some(each => each.capabilities.anyHandler)
  return {
    capacity,
    allocatable: {
      ...(machine.allocatable ?? machine.capacity),
      ...deps.extended?.resources().allocatable,
      // In a patch, null takes a name away.
      ...(advertised(old?.status ?? {}, capacity) as Record<string, string>),
    },
    conditions: conditions(deps, old?.status?.conditions ?? [], rfc3339(clock.now())),
    addresses: [...addresses, { type: 'Hostname', address: name }],
    ...(deps.kubeletPort !== undefined && { daemonEndpoints: { kubeletEndpoint: { Port: deps.kubeletPort } } }),
    nodeInfo: {
      ...machine.info,
      containerRuntimeVersion: runtimes.map(each => each.version).join(',') || 'none://',
      kubeletVersion: version,
      kubeProxyVersion: '',
    },
    ...(usual?.strictGroups && { features: { supplementalGroupsPolicy: true } }),
    ...(images.length && { images: images.map(each => ({ ...each })) }),
    ...(!takesAll && {
      runtimeHandlers: present(deps).flatMap(({ capabilities }) =>
        capabilities.handlers.map(handler => ({
          ...(handler ? { name: handler } : {}),
          features: featuresOf(capabilities),
        })),
      ),
    }),
  }
}

/** Whether the object says, by an annotation, that it is not of this machine. */
const isAnothers = ({ annotations = {} }: NodeDeps, { metadata }: Node): boolean =>
  Object.entries(annotations).some(([key, value]) => (metadata?.annotations?.[key] ?? value) !== value)

/** Makes or updates the Node object; `known` are its images, where they have just been looked at. Rejects where it is another machine's. */
async function register(deps: NodeDeps, known?: readonly ContainerImage[]): Promise<Node> {
  const { name, podCidr } = deps
  const podCIDRs = podCidr?.split(',')
  const spec = podCIDRs ? { podCIDR: podCIDRs[0]!, podCIDRs } : {}
  const annotated = deps.annotations ? { annotations: { ...deps.annotations } } : {}
  const client = deps.client.kind(nodes)
  const labels = labelsOf(deps)
  let node = await client.find({ name })
  if (!node) {
    const fresh: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels, ...annotated }, spec }
    node = await client.create(fresh)
  } else if (isAnothers(deps, node)) throw new Error(`another machine has become the node ${JSON.stringify(name)}`)
  else if (Object.entries(labels).some(([key, value]) => node?.metadata?.labels?.[key] !== value)) {
    node = await client.patch({ name }, { metadata: { labels } }, { type: 'strategic' })
  }
  if (podCidr && !node.spec?.podCIDR) node = await client.patch({ name }, { spec }, { type: 'strategic' })
  // A runtime that does not answer keeps no node from being there.
  const images = known ?? (await deps.images?.().catch(() => undefined)) ?? []
  const status = statusOf(deps, node, images)
  // By its key, the type, the patch would make one address of two of a type.
  const addresses = [{ $patch: 'replace' }, ...(status.addresses ?? [])]
  const body = { status: { ...status, addresses } }
  const written = await client.patch({ name }, body, { type: 'strategic', subresource: 'status' })
  tellChanges(deps, node.status, status)
  return written
}

type Status = NonNullable<Node['status']>

/** Events of what the node says of itself now and did not before, as the kubelet's. */
function tellChanges({ name, tell }: NodeDeps, old: Status | undefined, { conditions = [], nodeInfo }: Status): void {
  for (const { type, status, reason = '' } of conditions) {
    if (old?.conditions?.find(each => each.type === type)?.status === status) continue
    const event = reason.replace(/^Kubelet/, 'Node')
    tell?.('Normal', event, `Node ${name} status is now: ${event}`)
  }
  const [before, now] = [old?.nodeInfo?.bootID, nodeInfo?.bootID]
  if (before && before !== now) tell?.('Warning', 'Rebooted', `Node ${name} has been rebooted, boot id: ${now}`)
}

/** Events of what others have decided about the node: that it takes no new pods, or takes them again. */
function tellCordon({ name, tell }: NodeDeps, previous: Node | undefined, current: Node | undefined): void {
  const [before, now] = [previous, current].map(each => each?.spec?.unschedulable ?? false)
  if (!previous || !current || before === now) return
  const event = now ? 'NodeNotSchedulable' : 'NodeSchedulable'
  tell?.('Normal', event, `Node ${name} status is now: ${event}`)
}

/** Makes the Lease or renews it. */
async function beat({ client, clock, name }: NodeDeps, node: Node): Promise<void> {
  const ref = { namespace: LEASE_NAMESPACE, name }
  const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime: rfc3339Micro(clock.now()) }
  try {
    await client.kind(leases).patch(ref, { spec }, { type: 'merge' })
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 404) throw error
    const owner = { apiVersion: 'v1', kind: 'Node', name, uid: node.metadata?.uid ?? '' }
    await client.kind(leases).create({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { ...ref, ownerReferences: [owner] },
      spec,
    })
  }
}

/** Registers the node and keeps it alive until `signal` aborts. Resolves when it is Ready for the first time. */
export async function startNode(deps: NodeDeps, signal: AbortSignal): Promise<RegisteredNode> {
  const { clock, logger } = deps
  const backOff = createBackOff(100, 10_000)
  let node: Node | undefined
  deps.pressure?.look()
  const images = await deps.tidy?.()
  while (!node) {
    try {
      node = await register(deps, images)
      await beat(deps, node)
    } catch (error) {
      if (signal.aborted) throw error
      if (!hasReason(error, 'Conflict', 'AlreadyExists'))
        logger.warn({ err: error }, 'the node could not be registered; trying again')
      node = undefined
      await sleep(clock, backOff.next(), signal)
      if (signal.aborted) throw error
    }
  }
  const known = { node }
  void keepAlive(deps, known, signal)
  const { renew, seen } = contradict(deps, known, signal)
  const newer = (one: Node, other = one) => (revisionOf(other) > revisionOf(one) ? other : one)
  return {
    node,
    current: () => newer(known.node, seen()),
    fetch: () => deps.client.kind(nodes).get({ name: deps.name }),
    async tell() {
      try {
        known.node = await register(deps)
      } catch (error) {
        renew()
        throw error
      }
    },
  }
}

/** The node's object as it was registered last: another one after somebody deleted it. */
interface Known {
  node: Node
}

/** Rejects where there is no answer before the next beat: on a network that swallows packets none ever comes. */
async function answered(clock: Clock, beat: Promise<void>, signal: AbortSignal): Promise<void> {
  const waited = new AbortController()
  const end = () => waited.abort()
  signal.addEventListener('abort', end, { once: true })
  const late = sleep(clock, BEAT_MS, waited.signal).then(() => {
    if (!waited.signal.aborted) throw new Error(`no answer within ${BEAT_MS / 1000} s`)
  })
  try {
    await Promise.race([beat, late])
  } finally {
    waited.abort()
    signal.removeEventListener('abort', end)
  }
}

async function keepAlive(deps: NodeDeps, known: Known, signal: AbortSignal) {
  const { clock, logger, name } = deps
  for (let count = 1; ; count++) {
    await sleep(clock, BEAT_MS, signal)
    if (signal.aborted) return
    deps.pressure?.look()
    try {
      await answered(clock, beat(deps, known.node), signal)
      if (count % BEATS_PER_STATUS > 0) continue
      known.node = await register(deps, await deps.tidy?.())
    } catch (error) {
      if (signal.aborted) return
      logger.warn({ err: error, node: name }, 'a heartbeat failed')
      deps.reconnect?.()
    }
  }
}

/**
 * Watches the node's own object: makes it again when it was deleted, and its status when another one is seen, or others
 * advertise resources, or the node's resources or what it runs short of change.
 */
function contradict(deps: NodeDeps, known: Known, signal: AbortSignal) {
  const { client, clock, logger, name } = deps
  let seen: Node | undefined = known.node
  let writing = false
  let isStale = false
  const isWell = (node: Node) =>
    agrees(node, conditionsNow(deps)) && !Object.keys(advertised(node.status ?? {}, capacityOf(deps))).length
  const isWrong = () => isStale || !seen || (!isWell(seen) && revisionOf(seen) > revisionOf(known.node))
  async function write() {
    writing = true
    while (!signal.aborted && isWrong()) {
      try {
        const before = known.node.metadata?.uid
        isStale = false
        known.node = await register(deps)
        // Its lease went with it.
        if (known.node.metadata?.uid !== before) await beat(deps, known.node)
      } catch (error) {
        isStale = true
        logger.warn({ err: error, node: name }, 'the status of the node could not be written; trying again')
      }
      await sleep(clock, CONTRADICT_MS, signal)
    }
    writing = false
  }
  const renew = () => {
    isStale = true
    if (!writing && !signal.aborted) void write()
  }
  for (const runtime of deps.runtimes)
    runtime.outage?.onChange(() => {
      // It may come back as another release.
      const { version, outage } = runtime
      if (outage?.isLong()) deps.tell?.('Warning', 'ContainerRuntimeDown', `${version} is away: no pod goes to it`)
      else deps.tell?.('Normal', 'ContainerRuntimeUp', `${version} is back`)
      renew()
    })
  deps.extended?.onChange(renew)
  deps.pressure?.onChange(renew)
  const informer = createInformer(client, nodes, { fieldSelector: `metadata.name=${name}` }, { clock, logger }, signal)
  informer.onChange(({ previous, current }) => {
    // News of the deletion of an earlier one are no news.
    if (!current && previous?.metadata?.uid !== known.node.metadata?.uid) return
    seen = current
    tellCordon(deps, previous, current)
    if (!writing) void write()
  })
  return { renew, seen: () => seen }
}
