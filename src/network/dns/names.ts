/**
 * Names of the cluster, answered from the catalog: Kubernetes' DNS-based service discovery, version 1.1.0. Pure over
 * the catalog's maps; nothing is precomputed, so a change costs nothing here and is seen by the next query.
 */
import { isIPv4, isIPv6 } from 'node:net'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Endpoint } from '../../api/generated/types/discovery-v1.ts'
import { inCidr, parseCidr } from '../../lib/ip-range.ts'
import type { Catalog } from '../catalog.ts'
import { hasClusterIp } from '../service-proxy/service-ports.ts'
import { addressOfReverse, isReverse } from './reverse.ts'

/** Seconds for which a client may keep an answer. */
export const TTL = 5

export type DnsRecord =
  | { readonly type: 'A' | 'AAAA' | 'PTR' | 'CNAME' | 'NS'; readonly name: string; readonly data: string }
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
  /** Ranges whose reverse names are answered here: of pods and of services, as in `10.96.0.0/16`. */
  readonly ranges: readonly string[]
  /** Where the server itself is: the address of `ns.dns` of the domain. */
  readonly server: string
}

const EMPTY: DnsAnswer = { kind: 'empty' }
const NO_SUCH_NAME: DnsAnswer = { kind: 'no-such-name' }
const records = (answers: readonly DnsRecord[], additionals: readonly DnsRecord[] = []): DnsAnswer =>
  answers.length ? { kind: 'records', answers, additionals } : EMPTY

const dashed = (address: string) => address.replace(/[.:]/g, '-')
const typeOf = (address: string) => (isIPv4(address) ? 'A' : 'AAAA')

/** Records of the addresses that are of the type; nothing where there are only others. */
const addressRecords = (name: string, type: string, addresses: readonly string[]): DnsAnswer =>
  records(addresses.flatMap(data => (typeOf(data) === type ? [{ type: typeOf(data), name, data }] : [])))
const allAddresses = (name: string, addresses: readonly string[]): DnsRecord[] =>
  addresses.map(data => ({ type: typeOf(data), name, data }))

/** One address of a headless service, under the label that it has in DNS. */
interface Member {
  readonly label: string
  readonly address: string
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[]
}

/** Makes the function that answers one question. Names come in lower case without the last dot. */
export function createNames(
  catalog: Catalog,
  { domain, ranges, server }: NamesOptions,
): (name: string, type: string) => DnsAnswer {
  const suffix = `.${domain}`
  const nameServer = `ns.dns${suffix}`
  const ownAddress = allAddresses(nameServer, [server])
  const cidrs = ranges.map(parseCidr)
  const isOurs = (address: string) => cidrs.some(cidr => inCidr(cidr, address))

  function members(key: string, publishNotReady: boolean): Member[] {
    const usable = ({ conditions }: Endpoint) => publishNotReady || conditions?.ready !== false
    return catalog.slices(key).flatMap(slice =>
      slice.addressType === 'FQDN'
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
    return (service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? '']).filter(ip => isIPv4(ip) || isIPv6(ip))
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
        allAddresses(base, clusterIps(service)),
      )
    }
    const found = membersOf(service, key).map(member => ({ ...member, ports: member.ports.filter(wanted) }))
    const named = found.filter(({ ports }) => ports.length)
    return records(
      named.flatMap(({ label, ports }) => ports.map(({ port }) => record(port, `${label}.${base}`))),
      named.flatMap(({ label, address }) => allAddresses(`${label}.${base}`, [address])),
    )
  }

  const ofMembers = (name: string, type: string, found: readonly Member[]): DnsAnswer => {
    if (found.length === 0) return NO_SUCH_NAME
    const addresses = new Set(found.map(({ address }) => address))
    return addressRecords(name, type, [...addresses])
  }

  function ofService(name: string, type: string, service: Service, key: string): DnsAnswer {
    if (service.spec?.type === 'ExternalName') {
      const target = (service.spec.externalName ?? '').replace(/\.$/, '')
      return { kind: 'alias', record: { type: 'CNAME', name, data: target }, target }
    }
    if (type === 'SRV') return srv(name, service, key)
    if (hasClusterIp(service)) return addressRecords(name, type, clusterIps(service))
    return ofMembers(name, type, membersOf(service, key))
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
    return ofMembers(name, type, found)
  }

  /** `10-244-0-5.default.pod`: the address is in the name. */
  function pod(name: string, type: string, [namespace, label, ...rest]: readonly string[]): DnsAnswer {
    if (!namespace) return EMPTY
    if (!label) return catalog.hasNamespace(namespace) ? EMPTY : NO_SUCH_NAME
    const address = [label.replaceAll('-', '.'), label.replaceAll('-', ':')].find(each => isIPv4(each) || isIPv6(each))
    if (rest.length || address === undefined) return NO_SUCH_NAME
    return addressRecords(name, type, [address])
  }

  function reverse(name: string, type: string): DnsAnswer {
    const address = addressOfReverse(name)
    if (address === undefined || !isOurs(address)) return { kind: 'elsewhere' }
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
    if (isReverse(name)) return reverse(name, type)
    if (name === domain) return type === 'NS' ? records([{ type: 'NS', name, data: nameServer }], ownAddress) : EMPTY
    if (!name.endsWith(suffix)) return { kind: 'elsewhere' }
    const labels = name.slice(0, -suffix.length).split('.').reverse()
    const zone = labels.shift()
    if (zone === 'svc') return below(name, type, labels)
    if (zone === 'pod') return pod(name, type, labels)
    if (name === nameServer) return addressRecords(name, type, [server])
    if (zone === 'dns' && labels.length === 0) return EMPTY
    if (zone === 'dns-version' && labels.length === 0)
      return type === 'TXT' ? records([{ type: 'TXT', name, data: '1.1.0' }]) : EMPTY
    return NO_SUCH_NAME
  }
}
