/**
 * Addresses of pools on the wire: each is put on one node, of which clients on the segment hear at once, and moves when
 * that node is lost. Every node works out for itself whose an address is, from the same objects, so nobody has to ask.
 *
 * An address has a lifetime in the kernel, which its node renews as long as the API server answers it. So it leaves a
 * node that has stopped, or is cut off, before the others may take that for lost (40 s, `node-lifecycle`). Alone, a node
 * keeps its addresses for good.
 */
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import type { Node as NodeType, Service } from '../../api/generated/types/core-v1.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/event-recorder.ts'
import { type Informer, keyOf } from '../../client/informer-types.ts'
import { readJsonFile, writeFileAtomic } from '../../lib/atomic-file.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { familyOf } from '../../lib/ip-range.ts'
import type { Logger } from '../../lib/log.ts'
import type { Catalog } from '../catalog.ts'
import { alone, onDevice } from '../family.ts'
import { addressesOf } from '../pod-network/routes/peers.ts'
import { createRounds } from '../rounds.ts'
import { attempt } from '../tools/command.ts'
import type { Session } from '../tools/session.ts'
import { isBalanced } from './balanced.ts'
import { tellNeighbours } from './neighbours.ts'

export interface AnnounceDeps {
  readonly catalog: Catalog
  readonly nodes: Informer<NodeType>
  readonly nodeName: string
  /** Keeps what is on this machine, for the next start and for who clears it. */
  readonly file: string
  readonly client: Client
  readonly events: EventRecorder
  readonly ip: Session
  readonly clock: Clock
  readonly logger: Logger
}

export interface Announcements {
  /** Resolves when everything that was known at the call is done. */
  idle(): Promise<void>
}

const LIFETIME_S = 35
const RENEW_MS = 10_000
/** A node with it is not to be asked from outside (API doc: well-known labels). */
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers'

/** Addresses of a service that are no node's. */
export function poolAddressesOf(service: Service, nodes: readonly NodeType[]): readonly string[] {
  if (!isBalanced(service)) return []
  const own = new Set(nodes.flatMap(addressesOf))
  return (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
    ip && ipMode !== 'Proxy' && !own.has(ip) && !/^(127\.|::1$)/.test(ip) ? [ip] : [],
  )
}

const weight = (node: string, address: string) => createHash('sha256').update(`${node} ${address}`).digest('hex')

/** Which of these nodes an address is on: nearly all stay where they are when a node comes or goes. */
export function holderOf(address: string, nodes: readonly string[]): string | undefined {
  const weighed = nodes.map(node => ({ node, weight: weight(node, address) }))
  return weighed.toSorted((a, b) => (a.weight < b.weight ? 1 : -1))[0]?.node
}

/** Nodes that may have an address of the service: Ready ones, and with a policy of Local those with endpoints. */
export function candidates(service: Service, address: string, nodes: readonly NodeType[], catalog: Catalog): string[] {
  const ready = nodes.filter(node => isReady(node) && !(EXCLUDED in (node.metadata?.labels ?? {})))
  const names = ready.map(({ metadata }) => metadata?.name ?? '')
  if (service.spec?.externalTrafficPolicy !== 'Local') return names
  const serving = new Set(
    catalog
      .slices(keyOf(service))
      .filter(({ addressType }) => addressType === familyOf(address))
      .flatMap(({ endpoints }) => endpoints ?? [])
      .flatMap(({ nodeName, conditions }) => (nodeName && conditions?.ready !== false ? [nodeName] : [])),
  )
  return names.filter(name => serving.has(name))
}

type Announced = readonly (readonly [address: string, device: string])[]

const readAnnounced = (file: string): Announced => readJsonFile<Announced>(file) ?? []

async function withdraw(address: string, device: string): Promise<void> {
  if (device) await attempt('ip', ['address', 'delete', alone(address), 'dev', device])
}

/** Takes off this machine what a run has left there. */
export async function withdrawAll(file: string): Promise<void> {
  for (const [address, device] of readAnnounced(file)) await withdraw(address, device)
  rmSync(file, { force: true })
}

/** Starts following services and nodes; ends with the signal, and leaves addresses to the end of their lifetime. */
export async function startAnnouncing(deps: AnnounceDeps, signal: AbortSignal): Promise<Announcements> {
  const { catalog, nodes, nodeName, file, client, events, ip, clock, logger } = deps
  /** What is on this node: the device of each address; '' for one that has no place here. */
  const held = new Map(readAnnounced(file))
  let timer: Timer | undefined
  /** What the file holds; not known at first. */
  let kept = ''

  /** Addresses that are to be here, with the service of each. */
  function wanted(): Map<string, Service> {
    const all = nodes.list()
    const found = new Map<string, Service>()
    for (const service of catalog.services())
      for (const address of poolAddressesOf(service, all))
        if (holderOf(address, candidates(service, address, all, catalog)) === nodeName) found.set(address, service)
    return found
  }

  const lifetime = () => (nodes.list().length > 1 ? `${LIFETIME_S}` : 'forever')
  const put = (address: string, device: string) => {
    const valid = lifetime()
    return ip.run(`addr replace ${onDevice(address, device)} valid_lft ${valid} preferred_lft ${valid}`)
  }

  async function take(address: string, service: Service): Promise<void> {
    const { stdout } = await attempt('ip', ['-o', 'route', 'get', address])
    // One that is here already is so from an earlier run.
    const device = /^local /.test(stdout) ? await deviceOf(address) : / dev (\S+)/.exec(stdout)?.[1]
    if (!device || / via /.test(stdout)) {
      events.event(
        service,
        'Warning',
        'AddressNotAnnounced',
        `The address ${address} is on no segment of the node ${nodeName}: nobody there would find it.`,
      )
      held.set(address, '')
      return
    }
    await put(address, device)
    held.set(address, device)
    await tellNeighbours(address)
    events.event(
      service,
      'Normal',
      'AddressAnnounced',
      `The address ${address} is on the node ${nodeName} (${device}).`,
    )
    logger.info({ address, device }, 'network: an address of a load balancer is on this node')
  }

  function keep(): void {
    const now = JSON.stringify([...held].filter(([, device]) => device))
    if (now !== kept) writeFileAtomic(file, now)
    kept = now
  }

  async function settle(): Promise<void> {
    const now = wanted()
    for (const [address, device] of held) {
      if (now.has(address)) continue
      await withdraw(address, device)
      held.delete(address)
      logger.info({ address }, 'network: an address of a load balancer has left this node')
    }
    for (const [address, service] of now) if (!held.has(address)) await take(address, service)
    keep()
    renewLater()
  }

  /** Only who has an address of a cluster of several nodes has anything to renew. What is due stays so, come what may. */
  function renewLater() {
    if (!signal.aborted && nodes.list().length > 1 && [...held.values()].some(Boolean))
      timer ??= clock.after(RENEW_MS, renew)
    else endRenewing()
  }
  function endRenewing() {
    timer?.cancel()
    timer = undefined
  }
  async function renew(): Promise<void> {
    timer = undefined
    try {
      await client.kind<NodeType>(Node).get({ name: nodeName })
      for (const [address, device] of held) if (device) await put(address, device)
    } catch (error) {
      logger.warn({ err: error }, 'network: addresses of load balancers are not renewed while the API is away')
    }
    renewLater()
  }

  const { wakeWhole: wake, idle } = createRounds(
    {
      make: settle,
      failed: error => logger.warn({ err: error }, 'network: addresses of load balancers'),
      clock,
    },
    signal,
  )

  await Promise.all([nodes.synced(), catalog.synced()])
  // Some may have ended with their lifetime while nobody renewed it.
  for (const [address, device] of held) if ((await deviceOf(address)) !== device) held.delete(address)
  const ends = [
    nodes.onChange(({ previous, current }) => {
      const view = (node: NodeType | undefined) =>
        node && JSON.stringify([isReady(node), node.metadata?.labels, addressesOf(node)])
      if (view(previous) !== view(current)) wake()
    }),
    catalog.follow(key => {
      const service = catalog.service(key)
      if (!service || isBalanced(service) || held.size > 0) wake()
    }),
  ]
  signal.addEventListener('abort', () => {
    for (const end of ends) end()
    endRenewing()
  })
  wake()
  return { idle }
}

/** The device that has an address. */
async function deviceOf(address: string): Promise<string | undefined> {
  const { stdout } = await attempt('ip', ['-o', 'address', 'show', 'to', address])
  return /^\d+: (\S+)/.exec(stdout)?.[1]
}
