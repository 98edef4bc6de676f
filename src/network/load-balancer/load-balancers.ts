/**
 * Services of type LoadBalancer, on the machine that tells of them for all: where there are pools, each gets addresses
 * of its own; else the ports of this machine, at its addresses. A port is taken by listening on it, so that one of
 * another program is seen and left alone. The outcome is in the service's status, from which the proxies take the
 * addresses. With a kernel network the kernel then carries the traffic, before it comes to the listener, and goes on
 * without this program; elsewhere the listener carries it.
 */
import type { Socket } from 'node:net'
import { Service } from '../../api/kinds/core/service.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/event-recorder.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import { workOff } from '../../control/work-off.ts'
import type { Clock } from '../../lib/clock.ts'
import { hostPort } from '../../lib/host-port.ts'
import { unmapped } from '../../lib/ip-address.ts'
import { familyOf, inCidr, parseCidr } from '../../lib/ip-range.ts'
import { type Listening, whyNoPort } from '../../lib/listen.ts'
import type { Logger } from '../../lib/log.ts'
import type { Catalog } from '../catalog.ts'
import { type Backend, hasClusterIp, LOOPBACK, sourceRanges } from '../service-proxy/service-ports.ts'
import { forward } from '../service-proxy/userspace/forward.ts'
import { isBalanced } from './balanced.ts'
import type { PoolAddresses } from './pool-addresses.ts'

/** Listens where services of type LoadBalancer answer. Rejects with an error that has a `code` (EADDRINUSE, EACCES). */
export type HostListen = (port: number, onConnection: (socket: Socket) => void) => Promise<Listening>

export interface LoadBalancerDeps {
  readonly catalog: Catalog
  readonly client: Client
  readonly events: EventRecorder
  readonly clock: Clock
  readonly logger: Logger
  readonly listen: HostListen
  /** The addresses where it listens, one a family. */
  readonly addresses: readonly string[]
  /** Addresses for services alone; absent: they have the machine's. */
  readonly pool?: PoolAddresses
  /** Where this program reaches a port of a service. */
  locate(service: Service, port: number): Backend | undefined
  /** UDP and SCTP are carried, too: by the kernel. */
  readonly allProtocols: boolean
  /** Node ports need listeners on the machine's loopback, too. */
  readonly nodePorts: boolean
}

interface Held {
  readonly owner: string
  readonly target: number
  readonly listener: Listening
}

/** Between two tries at a service that failed (the API server did not take a status), ms. */
const RETRY = { backOff: 1000, backOffMax: 60_000 }

type Ports = NonNullable<NonNullable<Service['spec']>['ports']>
type Status = NonNullable<NonNullable<NonNullable<Service['status']>['loadBalancer']>['ingress']>

/** Whether a client is in a range that the service names; every client where it names none of that family. */
function mayCome(service: Service, client: string): boolean {
  const address = unmapped(client)
  const ranges = sourceRanges(service, familyOf(address))
  return ranges.length === 0 || ranges.some(range => inCidr(parseCidr(range), address))
}

/** A sentence for people: why a port could not be had, and what works instead. */
function refusal(service: Service, port: Ports[number], host: string, why: string): string {
  const { name, namespace } = service.metadata ?? {}
  const instead = [
    port.nodePort && `on this machine at ${hostPort(host, port.nodePort)}`,
    `from pods at ${name}.${namespace}:${port.port}`,
    `anywhere with kubectl port-forward -n ${namespace} service/${name} LOCAL_PORT:${port.port}`,
  ].filter(Boolean)
  return `Port ${port.port} of ${host}: ${why}. The service answers ${instead.join(', ')}.`
}

export interface LoadBalancers {
  /** Resolves when everything that was known at the call is done. */
  idle(): Promise<void>
  /** Closes the listeners; statuses stay. */
  close(): void
}

/** Starts following services; ends with the signal. */
export function startLoadBalancers(deps: LoadBalancerDeps, signal: AbortSignal): LoadBalancers {
  const { catalog, client, events, logger } = deps
  const held = new Map<number, Held>()
  const failed = new Map<string, string>()
  const queue = createWorkQueue<string>(deps.clock, RETRY)

  function release(owner: string, keep: ReadonlySet<number>) {
    for (const [port, each] of held) {
      if (each.owner !== owner || keep.has(port)) continue
      each.listener.close()
      held.delete(port)
      tryOthers(owner)
    }
  }

  /** Something is free that others may have been refused. */
  function tryOthers(than: string) {
    for (const key of failed.keys()) if (key !== than) queue.add(key)
  }

  /** Takes a port of the machine; resolves with why not. */
  async function take(owner: string, port: number, target: number): Promise<string | undefined> {
    const standing = held.get(port)
    if (standing?.owner === owner && standing.target === target) return undefined
    if (standing && standing.owner !== owner) return `the service ${standing.owner} has it`
    standing?.listener.close()
    held.delete(port)
    try {
      const listener = await deps.listen(port, socket => {
        const service = catalog.service(owner)
        // Where ranges of clients are named and this machine is in none, nobody is answered.
        if (service && port === target && !mayCome(service, socket.remoteAddress ?? LOOPBACK)) return socket.destroy()
        const backend = service && deps.locate(service, target)
        forward(socket, backend ? [backend] : [])
      })
      held.set(port, { owner, target, listener })
      return undefined
    } catch (error) {
      return whyNoPort(error)
    }
  }

  /** The machine's addresses of the families that the service has. */
  const addressesFor = ({ spec }: Service) =>
    deps.addresses.filter(ip => !spec?.ipFamilies?.length || spec.ipFamilies.includes(familyOf(ip)!))

  async function takePorts(service: Service, key: string): Promise<Status> {
    const states: NonNullable<Status[number]['ports']> = []
    const refusals: string[] = []
    for (const port of service.spec?.ports ?? []) {
      const protocol = port.protocol ?? 'TCP'
      const why =
        protocol === 'TCP'
          ? await take(key, port.port, port.port)
          : deps.allProtocols
            ? undefined
            : `${protocol} is carried with a kernel network only`
      states.push({ port: port.port, protocol, ...(why && { error: 'PortNotAvailable' }) })
      if (why) refusals.push(refusal(service, port, deps.addresses[0]!, why))
    }
    const text = refusals.join(' ')
    tell(service, key, 'PortNotAvailable', text)
    if (states.every(({ error }) => error)) return []
    return addressesFor(service).map(ip => ({ ip, ...(text && { ports: states }) }))
  }

  /** Tells once of what could not be had; what changes may help, and is tried again. */
  function tell(service: Service, key: string, reason: string, text: string) {
    if (text && failed.get(key) !== text) events.event(service, 'Warning', reason, text)
    if (text) failed.set(key, text)
    else failed.delete(key)
  }

  /** Addresses of the pools. */
  function takeAddresses(service: Service, key: string, pool: PoolAddresses): Status {
    const { ips, missing, freed } = pool.assign(service)
    if (freed) tryOthers(key)
    tell(service, key, 'AddressNotAvailable', missing.join(' '))
    return ips.map(ip => ({ ip, ipMode: 'VIP' }))
  }

  async function writeStatus(service: Service, ingress: Status): Promise<void> {
    const view = (list: Status | undefined) =>
      JSON.stringify((list ?? []).map(({ ip, ports }) => [ip, (ports ?? []).map(({ port, error }) => [port, error])]))
    if (view(service.status?.loadBalancer?.ingress) === view(ingress)) return
    const { namespace, name } = service.metadata!
    const body = { status: { loadBalancer: ingress.length ? { ingress } : { ingress: null } } }
    await client.kind(Service).patch({ namespace, name: name! }, body, { type: 'merge', subresource: 'status' })
  }

  async function settle(key: string): Promise<void> {
    const service = catalog.service(key)
    const wanted = new Set<number>()
    const { pool } = deps
    if (!pool && service && isBalanced(service)) for (const { port } of service.spec?.ports ?? []) wanted.add(port)
    if (pool && !(service && isBalanced(service)) && pool.release(key)) tryOthers(key)
    const nodePorts =
      service && deps.nodePorts && hasClusterIp(service) && service.spec?.type !== 'ClusterIP'
        ? (service.spec?.ports ?? []).filter(({ nodePort, protocol }) => nodePort && (protocol ?? 'TCP') === 'TCP')
        : []
    for (const { nodePort } of nodePorts) wanted.add(nodePort!)
    release(key, wanted)
    if (!service) {
      failed.delete(key)
      return
    }
    for (const port of nodePorts) {
      const why = await take(key, port.nodePort!, port.port)
      if (why) logger.warn({ service: key, port: port.nodePort, why }, 'network: node port not available')
    }
    if (!isBalanced(service)) return
    await writeStatus(service, pool ? takeAddresses(service, key, pool) : await takePorts(service, key))
  }

  catalog.follow(key => {
    const service = catalog.service(key)
    const concerned =
      !service ||
      deps.pool ||
      isBalanced(service) ||
      deps.nodePorts ||
      [...held.values()].some(({ owner }) => owner === key)
    if (concerned) queue.add(key)
  })
  const problem = 'network: load balancer'
  void workOff(queue, { work: settle, what: 'service', problem, logger }, signal)

  return {
    idle: queue.whenIdle,
    close() {
      for (const { listener } of held.values()) listener.close()
      held.clear()
    },
  }
}
