/**
 * Pods without a network of their own: they share the machine's loopback, and each declared port gets a free port of
 * the machine, which the agent tells the pod (`PORT`) and the endpoints (annotation `tutti.dev/ports`).
 */
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { openAllocations } from './allocations.ts'
import type { PodAddresses, PodNetwork, PodRequest } from './pod-network.ts'

interface Allocation {
  readonly uid: string
  readonly ports: Readonly<Record<number, number>>
}

/** Below the ports that systems give to outgoing connections, and below node ports. */
const FIRST_PORT = 20_000
const LAST_PORT = 29_999

/**
 * Where a cluster begins to look. Not the same port in each: between the choice of a port and the moment the pod listens
 * on it, another cluster of this machine could choose it as well.
 */
const firstPort = (directory: string) =>
  FIRST_PORT + (createHash('sha256').update(directory).digest().readUInt16BE() % (LAST_PORT - FIRST_PORT))

/** Whether a TCP port of 127.0.0.1 can be listened on now. */
function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)))
  })
}

/** Starts the portable pod network; `directory` keeps which ports were given. */
export function startPortablePodNetwork(directory: string, clusterDomain: string): PodNetwork {
  const allocations = openAllocations<Allocation>(directory)
  const used = new Set(allocations.all().flatMap(({ ports }) => Object.values(ports)))
  let cursor = Math.max(firstPort(directory), ...[...used].filter(port => port <= LAST_PORT))
  let last: Promise<unknown> = Promise.resolve()

  /** `wanted` is taken where it is free: a hostPort, or a port that the pod insists on. */
  async function choose(wanted: number | undefined): Promise<number> {
    if (wanted && !used.has(wanted) && (await isFree(wanted))) return wanted
    for (let tries = FIRST_PORT; tries <= LAST_PORT; tries++) {
      cursor = cursor >= LAST_PORT ? FIRST_PORT : cursor + 1
      if (!used.has(cursor) && (await isFree(cursor))) return cursor
    }
    throw new Error(`no free port for a pod: all from ${FIRST_PORT} to ${LAST_PORT} are in use`)
  }

  async function allocate(pod: PodRequest): Promise<PodAddresses> {
    const standing = allocations.get(pod.uid)
    if (standing) return { ips: ['127.0.0.1'], ports: standing.ports }
    const ports: Record<number, number> = {}
    for (const { containerPort, hostPort } of pod.ports) {
      if (containerPort in ports) continue
      const port = await choose(hostPort)
      used.add(port)
      ports[containerPort] = port
    }
    allocations.put({ uid: pod.uid, ports })
    return { ips: ['127.0.0.1'], ports }
  }

  return {
    dns: { servers: [], clusterDomain },
    // One after the other: two pods must not be given one port.
    setup(pod) {
      const next = last.then(() => allocate(pod))
      last = next.catch(() => {})
      return next
    },
    async teardown(uid) {
      for (const port of Object.values(allocations.get(uid)?.ports ?? {})) used.delete(port)
      allocations.remove(uid)
    },
    list: async () => allocations.all().map(({ uid }) => uid),
  }
}
