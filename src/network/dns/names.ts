/**
 * Names of the cluster, answered from the catalog: Kubernetes' DNS-based service discovery, version 1.1.0. Pure over
 * the catalog's maps; nothing is precomputed, so a change costs nothing here and is seen by the next query.
 */
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Endpoint } from '../../api/generated/types/discovery-v1.ts'
import { type Cidr, inCidr, parseIpv4 } from '../../lib/ipv4.ts'
import type { Catalog } from '../catalog.ts'
import { hasClusterIp } from '../service-proxy/service-ports.ts'

/** Seconds for which a client may keep an answer. */
export const TTL = 5

export type DnsRecord =
  | { readonly type: 'A' | 'PTR' | 'CNAME'; readonly name: string; readonly data: string }
  | { readonly type: 'TXT'; readonly name: string; readonly data: string }
  | {
      readonly type: 'SRV'
      readonly name: string
      readonly data: {
        readonly priority: number
        readonly weight: number
        readonly port: number
        readonly target: string
      }
    }

export type DnsAnswer =
  | { readonly kind: 'records'; readonly answers: readonly DnsRecord[]; readonly additionals: readonly DnsRecord[] }
  /** The name exists, with nothing of that type. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'no-such-name' }
  /** The name is an alias of one outside the cluster. */
  | { readonly kind: 'alias'; readonly record: DnsRecord; readonly target: string }
  /** Not ours to answer. */
  | { readonly kind: 'elsewhere' }

export interface NamesOptions {
  /** `cluster.local`. */
  readonly domain: string
  /** Ranges whose reverse names are answered here. */
  readonly ranges: readonly Cidr[]
}

const EMPTY: DnsAnswer = { kind: 'empty' }
const NO_SUCH_NAME: DnsAnswer = { kind: 'no-such-name' }
const records = (answers: readonly DnsRecord[], additionals: readonly DnsRecord[] = []): DnsAnswer =>
  answers.length ? { kind: 'records', answers, additionals } : EMPTY

const dashed = (address: string) => address.replaceAll('.', '-')

/** One address of a headless service, under the label that it has in DNS. */
interface Member {
  readonly label: string
  readonly address: string
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[]
}

/** Makes the function that answers one question. Names come in lower case without the last dot. */
export function createNames(
  catalog: Catalog,
  { domain, ranges }: NamesOptions,
): (name: string, type: string) => DnsAnswer {
  const suffix = `.${domain}`

  function members(key: string, publishNotReady: boolean): Member[] {
    const usable = ({ conditions }: Endpoint) => publishNotReady || conditions?.ready !== false
    return catalog.slices(key).flatMap(slice =>
      slice.addressType !== 'IPv4'
        ? []
        : (slice.endpoints ?? []).filter(usable).flatMap(endpoint =>
            endpoint.addresses.slice(0, 1).map(address => ({
              label: endpoint.hostname || dashed(address),
              address,
              ports: (slice.ports ?? []).map(port => ({
                name: port.name ?? '',
                protocol: (port.protocol ?? 'TCP').toLowerCase(),
                port: port.port ?? 0,
              })),
            })),
          ),
    )
  }

  const membersOf = (service: Service, key: string) => members(key, Boolean(service.spec?.publishNotReadyAddresses))

  function clusterIps(service: Service): string[] {
    return (service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? '']).filter(ip => parseIpv4(ip) !== undefined)
  }

  /** `_port._protocol` under a service; `*` asks for all (a query for the service's own name). */
  function srv(name: string, service: Service, key: string, portName?: string, protocol?: string): DnsAnswer {
    const wanted = (port: { name?: string | undefined; protocol?: string | undefined }) =>
      portName === undefined || (port.name === portName && (port.protocol ?? 'TCP').toLowerCase() === protocol)
    const base = `${service.metadata?.name}.${service.metadata?.namespace}.svc${suffix}`
    const record = (port: number, target: string): DnsRecord => ({
      type: 'SRV',
      name,
      data: { priority: 0, weight: 100, port, target },
    })
    if (hasClusterIp(service)) {
      const ports = (service.spec?.ports ?? []).filter(wanted)
      return records(
        ports.map(({ port }) => record(port, base)),
        clusterIps(service).map(data => ({ type: 'A', name: base, data })),
      )
    }
    const found = membersOf(service, key).map(member => ({ ...member, ports: member.ports.filter(wanted) }))
    const named = found.filter(({ ports }) => ports.length)
    return records(
      named.flatMap(({ label, ports }) => ports.map(({ port }) => record(port, `${label}.${base}`))),
      named.map(({ label, address }) => ({ type: 'A', name: `${label}.${base}`, data: address })),
    )
  }

  function ofService(name: string, type: string, service: Service, key: string): DnsAnswer {
    if (service.spec?.type === 'ExternalName') {
      const target = (service.spec.externalName ?? '').replace(/\.$/, '')
      return { kind: 'alias', record: { type: 'CNAME', name, data: target }, target }
    }
    if (type === 'SRV') return srv(name, service, key)
    if (hasClusterIp(service))
      return type === 'A' ? records(clusterIps(service).map(data => ({ type: 'A', name, data }))) : EMPTY
    const found = membersOf(service, key)
    if (found.length === 0) return NO_SUCH_NAME
    return type === 'A' ? records(found.map(({ address }) => ({ type: 'A', name, data: address }))) : EMPTY
  }

  /** Names below `svc`: labels from the namespace outwards, `['default', 'web', …]`. */
  function below(name: string, type: string, labels: readonly string[]): DnsAnswer {
    const [namespace, serviceName, ...rest] = labels
    if (!namespace) return EMPTY
    if (!serviceName) return catalog.hasNamespace(namespace) ? EMPTY : NO_SUCH_NAME
    const key = `${namespace}/${serviceName}`
    const service = catalog.service(key)
    if (!service) return NO_SUCH_NAME
    const [first, second] = rest
    if (first === undefined) return ofService(name, type, service, key)
    if (first === '_tcp' || first === '_udp' || first === '_sctp') {
      if (second === undefined) return EMPTY
      if (!second.startsWith('_') || rest.length > 2) return NO_SUCH_NAME
      const answer = srv(name, service, key, second.slice(1), first.slice(1))
      return answer.kind === 'empty' ? NO_SUCH_NAME : type === 'SRV' ? answer : EMPTY
    }
    if (rest.length > 1 || service.spec?.type === 'ExternalName') return NO_SUCH_NAME
    const found = membersOf(service, key).filter(({ label }) => label === first)
    // A cluster IP service has names for its endpoints, too, where they have host names.
    if (found.length === 0) return NO_SUCH_NAME
    return type === 'A' ? records(found.map(({ address }) => ({ type: 'A', name, data: address }))) : EMPTY
  }

  /** `10-244-0-5.default.pod`: the address is in the name. */
  function pod(name: string, type: string, [namespace, label, ...rest]: readonly string[]): DnsAnswer {
    if (!namespace) return EMPTY
    if (!label) return catalog.hasNamespace(namespace) ? EMPTY : NO_SUCH_NAME
    const address = label.replaceAll('-', '.')
    if (rest.length || parseIpv4(address) === undefined) return NO_SUCH_NAME
    return type === 'A' ? records([{ type: 'A', name, data: address }]) : EMPTY
  }

  function reverse(name: string, type: string): DnsAnswer {
    const address = name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.')
    if (!ranges.some(range => inCidr(range, address))) return { kind: 'elsewhere' }
    const owner = catalog.byClusterIp(address)
    const names = owner ? [`${owner.metadata?.name}.${owner.metadata?.namespace}.svc${suffix}`] : []
    for (const key of catalog.byEndpoint(address)) {
      const service = catalog.service(key)
      if (!service || hasClusterIp(service)) continue
      const [namespace, serviceName] = key.split('/')
      for (const member of membersOf(service, key))
        if (member.address === address) names.push(`${member.label}.${serviceName}.${namespace}.svc${suffix}`)
    }
    if (names.length === 0) return NO_SUCH_NAME
    return type === 'PTR' ? records(names.map(data => ({ type: 'PTR', name, data }))) : EMPTY
  }

  return (name, type) => {
    if (name.endsWith('.in-addr.arpa')) return reverse(name, type)
    if (name === domain) return EMPTY
    if (!name.endsWith(suffix)) return { kind: 'elsewhere' }
    const labels = name.slice(0, -suffix.length).split('.').reverse()
    const zone = labels.shift()
    if (zone === 'svc') return below(name, type, labels)
    if (zone === 'pod') return pod(name, type, labels)
    if (zone === 'dns-version' && labels.length === 0)
      return type === 'TXT' ? records([{ type: 'TXT', name, data: '1.1.0' }]) : EMPTY
    return NO_SUCH_NAME
  }
}
