/** The proxy subresources of pods, services and nodes: HTTP requests to what runs there, and whatever it answers. */
import type { Node, Pod, Service } from '../../api/generated/types/core-v1.ts'
import { badRequest, internalError, notFound, serviceUnavailable } from '../../api/machinery/status-error.ts'
import type { NodeDirectory } from '../../client/node-api.ts'
import { isGlobalUnicast } from '../../lib/global-unicast.ts'
import { hostPort } from '../../lib/host-port.ts'
import { throughProxyTo } from '../proxy/through-proxy.ts'
import type { Registry } from '../registry/registry.ts'
import type { Handler } from '../request.ts'
import { type DialPod, dialTcp, podDialer } from '../services/dial.ts'
import { readyEndpoint, type ServiceReaders, slicesOf } from '../services/endpoint.ts'
import type { LocatedPod } from './pod-location.ts'
import { requireKind } from './request-parts.ts'

export const PROXY_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']

interface Named {
  readonly scheme: string
  readonly name: string
  readonly port: string
}

/** `name`, `name:port` or `scheme:name:port`; undefined for anything else. */
export function splitName(text: string): Named | undefined {
  const parts = text.split(':')
  const [scheme = '', name = '', port = ''] =
    parts.length === 3 ? parts : parts.length === 2 ? ['', ...parts] : ['', text]
  if (parts.length > 3 || !name || !['', 'http', 'https'].includes(scheme)) return undefined
  return { scheme, name, port }
}

function named(what: string, text: string): Named {
  const found = splitName(text)
  if (!found) throw badRequest(`invalid ${what} request ${JSON.stringify(text)}`)
  return found
}

/** A number that a TCP port can have. */
function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw serviceUnavailable(`error trying to reach service: dial tcp: lookup tcp/${text}: unknown port`)
  return port
}

function podProxy(registry: Registry, dial: DialPod): Handler {
  const pods = requireKind(registry, 'v1/pods')
  return async request => {
    const { namespace, name: text } = request.info
    const { scheme, name, port: wanted } = named('pod', text)
    const pod = registry.get(pods, { namespace, name }).value as Pod & LocatedPod
    const declared = pod.spec.containers?.find(each => (each as { ports?: unknown[] }).ports?.length)
    const first = (declared as { ports?: { containerPort: number }[] } | undefined)?.ports?.[0]?.containerPort
    const port = wanted ? portNumber(wanted) : (first ?? (scheme === 'https' ? 443 : 80))
    const host = pod.status?.podIP ?? ''
    if (!host) throw badRequest('address not allowed')
    const connector = { tls: scheme === 'https', dial: async () => dial(pod, host, port) }
    return throughProxyTo(request, connector, { segments: 7, host: hostPort(host, port) })
  }
}

/** The name of the port that is asked for: ports may be given by number or by name. */
function portName(registry: Registry, namespace: string, name: string, port: string): string {
  if (!/^[+-]?\d+$/.test(port)) return port
  const service = registry.get(requireKind(registry, 'v1/services'), { namespace, name }).value as Service
  const found = service.spec?.ports?.find(each => each.port === Number(port))
  if (!found) throw serviceUnavailable(`no service port ${Number(port)} found for service ${JSON.stringify(name)}`)
  return found.name ?? ''
}

function serviceProxy(registry: Registry, readers: ServiceReaders, dial: DialPod): Handler {
  const pods = registry.reader(requireKind(registry, 'v1/pods'))
  return async request => {
    const { namespace, name: text } = request.info
    const { scheme, name, port: wanted } = named('service', text)
    const wantedName = portName(registry, namespace, name, wanted)
    if (!readers.services.get(namespace, name)) throw notFound({ group: '', plural: 'services' }, name)
    // Only to addresses that are pods: an endpoint by hand could lead anywhere.
    const found = readyEndpoint(slicesOf(readers, namespace, name), wantedName, readers.random, ({ host, pod }) => {
      const object =
        pod?.namespace === namespace ? (pods.get(namespace, pod.name)?.value as Pod | undefined) : undefined
      return object?.status?.podIPs?.some(({ ip }) => ip === host) ?? false
    })
    const pod = found?.pod && pods.get(namespace, found.pod.name)
    if (!found || !pod) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(text)}`)
    const { host, port } = found
    const connector = { tls: scheme === 'https', dial: async () => dial(pod.value as LocatedPod, host, port) }
    return throughProxyTo(request, connector, { segments: 7, host: hostPort(host, port) })
  }
}

/** Where a node is, in the order in which its kinds of addresses are preferred. */
function nodeAddress({ status }: Node): string {
  for (const type of ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP']) {
    const found = status?.addresses?.find(each => each.type === type && /^[\d.]+$|:/.test(each.address))
    if (found) return found.address
  }
  return ''
}

function nodeProxy(registry: Registry, nodes: NodeDirectory): Handler {
  const kind = requireKind(registry, 'v1/nodes')
  return async request => {
    const { scheme, name, port: wanted } = named('node', request.info.name)
    const node = registry.get(kind, { namespace: '', name }).value as Node
    const own = node.status?.daemonEndpoints?.kubeletEndpoint?.Port
    if (!wanted || Number(wanted) === own) {
      const serve = nodes(name)?.serve
      if (!serve) throw internalError(`node ${JSON.stringify(name)} cannot be reached`)
      const path = request.path.split('/').slice(6).join('/')
      const { method, query, signal } = request
      const sent = request.body.type === 'bytes' ? { body: request.body.stream() } : {}
      const { status, contentType, body } = await serve({ method, path: `/${path}`, query, signal, ...sent })
      return { type: 'stream', status, contentType, stream: body }
    }
    const host = nodeAddress(node)
    if (!isGlobalUnicast(host)) throw badRequest('address not allowed')
    const port = portNumber(wanted)
    const connector = { tls: scheme === 'https', dial: () => dialTcp(host, port) }
    return throughProxyTo(request, connector, { segments: 5, host: hostPort(host, port) })
  }
}

/** The handlers of all three, by kind key and subresource. */
export function proxyHandlers(
  registry: Registry,
  nodes: NodeDirectory,
  random: () => number,
): readonly [string, Handler][] {
  const reader = (key: string) => registry.reader(requireKind(registry, key))
  const readers: ServiceReaders = {
    services: reader('v1/services'),
    endpointSlices: reader('discovery.k8s.io/v1/endpointslices'),
    random,
  }
  const dial = podDialer(nodes)
  return [
    ['v1/pods/proxy', podProxy(registry, dial)],
    ['v1/services/proxy', serviceProxy(registry, readers, dial)],
    ['v1/nodes/proxy', nodeProxy(registry, nodes)],
  ]
}
