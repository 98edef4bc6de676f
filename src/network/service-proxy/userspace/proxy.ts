/**
 * The service proxy without rights: a listener on the machine's loopback for every service port and node port. A
 * cluster IP cannot exist; `localAddress` says where a service port is instead, the same after a restart. SCTP is not
 * carried.
 */
import { createServer } from 'node:net'
import { readJsonFile, writeFileAtomic } from '../../../lib/atomic-file.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { Logger } from '../../../lib/log.ts'
import type { ServiceChanges, ServiceProxy } from '../proxy.ts'
import { type Backend, type ServicePort, targetOf } from '../service-ports.ts'
import { createChooser } from './choose.ts'
import { forward } from './forward.ts'
import { listenUdp } from './forward-udp.ts'

/** Ports for services: below those of pods (`pod-network/portable.ts`). */
const FIRST_PORT = 15_000
const LAST_PORT = 19_999

export interface UserspaceProxyOptions {
  /** File that keeps which service port was given which port of the machine. */
  readonly file: string
}

interface Listener {
  /** Ends what is carried to backends that are not in the list. Connections of TCP end by themselves. */
  keep?(backends: readonly Backend[]): void
  close(): void
}

interface Entry {
  port: ServicePort
  /** Listeners by port of the machine; none while there are no backends, so that the system refuses. */
  readonly servers: Map<number, Listener>
  readonly chooser: ReturnType<typeof createChooser>
}

/** What is listened for: node ports may lead elsewhere than the service's own address. */
type Kind = 'cluster' | 'node'

/** Every client is of this machine, so of inside the cluster. */
function backendsOf({ port }: Entry, kind: Kind): readonly Backend[] {
  const frontend = port.frontends.find(each => each.kind === kind)
  return frontend ? targetOf(port, frontend).backends : port.backends
}

const HOST = '127.0.0.1'

function listen(port: number, entry: Entry, kind: Kind, clock: Clock): Promise<Listener> {
  const choice = () => ({ ...entry.port, backends: backendsOf(entry, kind) })
  if (entry.port.protocol === 'udp')
    return listenUdp({ host: HOST, port }, client => entry.chooser.choose(choice(), client, clock.now())[0], clock)
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, client =>
      forward(client, entry.chooser.choose(choice(), client.remoteAddress ?? '', clock.now())),
    )
    server.once('error', reject)
    server.listen({ host: HOST, port }, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

const readPorts = (file: string): Map<string, number> =>
  new Map(Object.entries(readJsonFile<Record<string, number>>(file) ?? {}))

/** Makes the proxy. */
export function createUserspaceProxy(
  { file }: UserspaceProxyOptions,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): ServiceProxy {
  const given = readPorts(file)
  const services = new Map<string, Map<string, Entry>>()
  let cursor = Math.max(FIRST_PORT - 1, ...given.values())
  let changed = false

  function remember(id: string, port: number | undefined) {
    changed ||= given.get(id) !== port
    if (port === undefined) given.delete(id)
    else given.set(id, port)
  }
  function persist() {
    if (!changed) return
    writeFileAtomic(file, JSON.stringify(Object.fromEntries(given)))
    changed = false
  }
  function nextPort(): number {
    const taken = new Set(given.values())
    do cursor = cursor >= LAST_PORT ? FIRST_PORT : cursor + 1
    while (taken.has(cursor) && taken.size <= LAST_PORT - FIRST_PORT)
    return cursor
  }

  /** Listens where the port was last time, or at the next that is free. */
  async function listenForService(entry: Entry): Promise<void> {
    const { id } = entry.port
    for (let tries = 0; tries < 100; tries++) {
      const port = given.get(id) ?? nextPort()
      try {
        entry.servers.set(port, await listen(port, entry, 'cluster', clock))
        remember(id, port)
        return
      } catch (error) {
        logger.info(
          { service: id, port, error: (error as Error).message },
          'network: trying another port for a service',
        )
        remember(id, undefined)
      }
    }
    throw new Error(`service ${id}: no free port from ${FIRST_PORT} to ${LAST_PORT} on 127.0.0.1`)
  }

  function closeAll(entry: Entry) {
    for (const server of entry.servers.values()) server.close()
    entry.servers.clear()
  }

  /** Brings the listeners of one service port up to date. Connections that stand are left alone. */
  async function settle(entry: Entry, port: ServicePort): Promise<void> {
    entry.port = port
    const serves = (kind: Kind) => backendsOf(entry, kind).length > 0
    const nodePorts = serves('node')
      ? port.frontends.flatMap(frontend => (frontend.kind === 'node' ? [frontend.port] : []))
      : []
    if (!given.has(port.id)) remember(port.id, nextPort())
    if (serves('cluster') && !entry.servers.has(given.get(port.id)!)) await listenForService(entry)
    const wanted = new Set(serves('cluster') ? [given.get(port.id)!, ...nodePorts] : nodePorts)
    for (const [number, server] of entry.servers) {
      server.keep?.(backendsOf(entry, nodePorts.includes(number) ? 'node' : 'cluster'))
      if (wanted.has(number)) continue
      server.close()
      entry.servers.delete(number)
    }
    for (const number of nodePorts) {
      if (entry.servers.has(number)) continue
      try {
        entry.servers.set(number, await listen(number, entry, 'node', clock))
      } catch (error) {
        logger.warn(
          { service: port.id, port: number, error: (error as Error).message },
          'network: node port not available',
        )
      }
    }
  }

  async function update(service: string, ports: readonly ServicePort[]): Promise<void> {
    const entries = services.get(service) ?? new Map<string, Entry>()
    const carried = ports.filter(({ protocol }) => protocol !== 'sctp')
    for (const [id, entry] of entries) {
      if (carried.some(port => port.id === id)) continue
      closeAll(entry)
      entries.delete(id)
      remember(id, undefined)
    }
    for (const port of carried) {
      const entry = entries.get(port.id) ?? { port, servers: new Map(), chooser: createChooser() }
      entries.set(port.id, entry)
      await settle(entry, port)
    }
    if (entries.size) services.set(service, entries)
    else services.delete(service)
  }

  async function apply(changes: ServiceChanges): Promise<void> {
    for (const [service, ports] of changes) await update(service, ports)
    persist()
  }

  return {
    apply,
    async reset(wanted) {
      const gone = [...services.keys()].filter(service => !wanted.has(service))
      await apply(new Map([...wanted, ...gone.map(service => [service, []] as const)]))
      const live = new Set([...services.values()].flatMap(entries => [...entries.keys()]))
      for (const id of given.keys()) if (!live.has(id)) remember(id, undefined)
      persist()
    },
    localAddress(service, port, protocol) {
      for (const { port: own } of services.get(service)?.values() ?? [])
        if (own.protocol === protocol && own.frontends.some(each => each.kind === 'cluster' && each.port === port))
          return { host: HOST, port: given.get(own.id)! }
      return undefined
    },
    async close() {
      for (const entries of services.values()) for (const entry of entries.values()) closeAll(entry)
    },
  }
}
