/** Connections from the API server into the cluster's networks. */
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { badRequest } from '../../api/machinery/status-error.ts'
import type { NodeDirectory } from '../../client/node-api.ts'
import { isGlobalUnicast } from '../../lib/global-unicast.ts'
import type { KindReader } from '../registry/registry.ts'
import { type LocatedPod, podRef } from '../subresources/pod-location.ts'
import type { ServiceAddress } from './endpoint.ts'

/** How long a connection may take, in ms, as upstream has it. */
const DIAL_TIMEOUT = 30_000

/** Opens a TCP connection. Rejects with what `node:net` says. */
export function dialTcp(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    socket.setTimeout(DIAL_TIMEOUT, () =>
      socket.destroy(Object.assign(new Error('i/o timeout'), { code: 'ETIMEDOUT', address: host, port })),
    )
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.setTimeout(0)
      // What fails later reaches who reads and writes; unheard it would end the process.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

/** Opens a TCP connection to another machine. Throws BadRequest for addresses that would lead to this machine itself. */
export function dialAddress(host: string, port: number): Promise<Duplex> {
  if (!isGlobalUnicast(host)) throw badRequest('address not allowed')
  return dialTcp(host, port)
}

/** Opens a connection to a port of a pod at one of its addresses. */
export type DialPod = (pod: LocatedPod, host: string, port: number) => Promise<Duplex>

/**
 * Connections to pods: by the node's agent where it is known, since only it may reach the pod's network, else straight
 * to the address. Throws BadRequest for addresses that would lead to this machine itself.
 */
export function podDialer(nodes: NodeDirectory): DialPod {
  return (pod, host, port) => {
    const node = nodes(pod.spec.nodeName ?? '')
    if (node) return node.connect(podRef(pod), port, 'address')
    return dialAddress(host, port)
  }
}

/** Connections to what a service leads to. */
export function serviceDialer(pods: KindReader, dialPod: DialPod): (address: ServiceAddress) => Promise<Duplex> {
  return async address => {
    const pod = address.pod && pods.get(address.pod.namespace, address.pod.name)
    if (pod) return dialPod(pod.value as LocatedPod, address.host, address.port)
    return dialTcp(address.host, address.port)
  }
}
