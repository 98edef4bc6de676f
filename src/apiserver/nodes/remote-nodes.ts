/** Nodes on other machines: what they answer, asked for over their HTTPS. */
import type { Node, Pod } from '../../api/generated/types/core-v1.ts'
import type { CommandStreams, LogOptions, NodeApi, NodeDirectory, PodRef } from '../../client/node-api.ts'
import { PORT_FORWARD_PROTOCOL } from '../../client/streams/port-forward.ts'
import { REMOTE_COMMAND_PROTOCOL, remoteCommand } from '../../client/streams/remote-command.ts'
import { remotePort } from '../../client/streams/remote-port.ts'
import type { KindReader } from '../registry/registry.ts'
import { dialAddress } from '../services/dial.ts'
import { askKubelet, errorOf, type KubeletAddress, type KubeletTrust, upgradeKubelet } from './kubelet.ts'

/** In which order the kinds of a node's addresses are tried, as kubeadm sets it up. */
const ADDRESS_TYPES = ['InternalIP', 'ExternalIP', 'InternalDNS', 'ExternalDNS', 'Hostname']

/** Where a node's kubelet is; undefined where it has not said so. */
export function kubeletAddress({ metadata, status }: Node): KubeletAddress | undefined {
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port
  const found = ADDRESS_TYPES.flatMap(type => status?.addresses?.filter(each => each.type === type) ?? [])[0]
  return port && found ? { node: metadata?.name ?? '', host: found.address, port } : undefined
}

export interface RemoteNodesDeps {
  readonly nodes: KindReader
  readonly pods: KindReader
  readonly trust: KubeletTrust
}

const part = encodeURIComponent
const podPath = (verb: string, { namespace, name, uid }: PodRef, container?: string) =>
  `/${verb}/${part(namespace)}/${part(name)}/${part(uid)}${container === undefined ? '' : `/${part(container)}`}`

function logQuery({ container: _, ...options }: LogOptions, uid: string): string {
  const query = new URLSearchParams({ uid })
  for (const [name, value] of Object.entries(options)) if (value !== undefined) query.set(name, String(value))
  return query.toString()
}

/** What a command is asked for with: the streams that are there. */
function commandQuery(tty: boolean, streams: CommandStreams, command: readonly string[]): string {
  const query = new URLSearchParams(command.map(each => ['command', each]))
  if (streams.stdin) query.set('input', '1')
  if (streams.stdout) query.set('output', '1')
  if (streams.stderr && !tty) query.set('error', '1')
  if (tty) query.set('tty', '1')
  return query.toString()
}

/** Makes the directory of all nodes that say where they listen. */
export function remoteNodes({ nodes, pods, trust }: RemoteNodesDeps): NodeDirectory {
  function command(
    address: KubeletAddress,
    verb: 'exec' | 'attach',
    pod: PodRef,
    options: { readonly container: string; readonly tty: boolean; readonly command?: readonly string[] },
    streams: CommandStreams,
  ): Promise<number> {
    const query = commandQuery(options.tty, streams, options.command ?? [])
    const path = `${podPath(verb, pod, options.container)}?${query}`
    const request = { method: 'POST', path, protocol: REMOTE_COMMAND_PROTOCOL, pod: pod.name }
    return upgradeKubelet(address, request, trust).then(link => remoteCommand(link, options.tty, streams))
  }

  const nodeAt = (address: KubeletAddress): NodeApi => ({
    async logs(pod, options, signal) {
      const path = `/containerLogs/${part(pod.namespace)}/${part(pod.name)}/${part(options.container)}`
      const request = { method: 'GET', path: `${path}?${logQuery(options, pod.uid)}`, signal }
      const response = await askKubelet(address, request, trust)
      if (response.statusCode !== 200) throw await errorOf(response, pod.name)
      return response
    },
    exec: async (pod, options, streams) => ({ exitCode: await command(address, 'exec', pod, options, streams) }),
    async attach(pod, options, streams) {
      await command(address, 'attach', pod, options, streams)
    },
    async connect(pod, port, via) {
      if (via === 'address') {
        const host = (pods.get(pod.namespace, pod.name)?.value as Pod | undefined)?.status?.podIP ?? ''
        return dialAddress(host, port)
      }
      const path = podPath('portForward', pod)
      const request = { method: 'POST', path, protocol: PORT_FORWARD_PROTOCOL, pod: pod.name }
      return remotePort(await upgradeKubelet(address, request, trust), port)
    },
    async serve({ method, path, query, signal, body }) {
      const search = query.toString()
      const request = { method, path: search ? `${path}?${search}` : path, signal, ...(body && { body }) }
      const response = await askKubelet(address, request, trust)
      return {
        status: response.statusCode ?? 502,
        contentType: response.headers['content-type'] ?? 'text/plain',
        body: response,
      }
    },
  })

  return name => {
    const node = nodes.get('', name)?.value as Node | undefined
    const address = node && kubeletAddress(node)
    return address && nodeAt(address)
  }
}
