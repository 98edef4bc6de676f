/**
 * Where names outside the cluster are asked: the ConfigMap `kube-system/kube-dns`, in the form that Kubernetes' own DNS
 * add-on has had for it, followed while the server runs.
 *
 *   stubDomains:         {"corp.example": ["10.0.0.53"], "consul": ["10.0.0.54:8600"]}
 *   upstreamNameservers: ["192.0.2.1", "192.0.2.2"]
 */
import { isIP } from 'node:net'
import type { ConfigMap as ConfigMapType } from '../../api/generated/types/core-v1.ts'
import { ConfigMap } from '../../api/kinds/core/config-map.ts'
import type { Informers } from '../../client/informers.ts'
import type { Logger } from '../../lib/log.ts'

const NAMESPACE = 'kube-system'
const NAME = 'kube-dns'

export interface NameServer {
  readonly address: string
  readonly port: number
}

export interface DnsSettings {
  /** Absent: those of the machine. */
  readonly upstream?: readonly NameServer[]
  /** Servers by domain, in lower case without dots at the ends. */
  readonly stubDomains: ReadonlyMap<string, readonly NameServer[]>
}

export const NO_SETTINGS: DnsSettings = { stubDomains: new Map() }

/** `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`; throws an Error for anything else. */
export function parseNameServer(text: string): NameServer {
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = isIP(text) ? text : (bracketed ?? plain ?? '')
  const port = isIP(text) || digits === undefined ? 53 : Number(digits)
  if (!isIP(address) || port < 1 || port > 65_535)
    throw new Error(`${JSON.stringify(text)} is no name server: expected an address, with or without a port`)
  return { address, port }
}

function readList(value: unknown, field: string): NameServer[] {
  if (!Array.isArray(value) || value.some(each => typeof each !== 'string'))
    throw new Error(`${field}: expected a list of name servers in JSON`)
  return value.map(each => parseNameServer(each as string))
}

const json = (text: string, field: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`${field}: ${(cause as Error).message}`, { cause })
  }
}

/** Reads the data of the ConfigMap. Throws an Error that names the field. */
export function readDnsSettings(data: Readonly<Record<string, string>> = {}): DnsSettings {
  const { stubDomains: stubs, upstreamNameservers } = data
  const upstream = upstreamNameservers
    ? readList(json(upstreamNameservers, 'upstreamNameservers'), 'upstreamNameservers')
    : undefined
  const domains = stubs ? json(stubs, 'stubDomains') : {}
  if (typeof domains !== 'object' || domains === null || Array.isArray(domains))
    throw new Error('stubDomains: expected an object of domains and their name servers in JSON')
  const named = Object.entries(domains).map(
    ([domain, servers]) =>
      [domain.toLowerCase().replace(/^\.|\.$/g, ''), readList(servers, `stubDomains of ${domain}`)] as const,
  )
  return { ...(upstream?.length && { upstream }), stubDomains: new Map(named) }
}

/** Follows the ConfigMap; resolves with what reads the settings of the moment. Bad ones are told, and the last kept. */
export async function followDnsSettings(informers: Informers, logger: Logger): Promise<() => DnsSettings> {
  let settings = NO_SETTINGS
  const maps = informers.of<ConfigMapType>(ConfigMap, {
    namespace: NAMESPACE,
    fieldSelector: `metadata.name=${NAME}`,
  })
  await maps.synced()
  maps.onChange(({ current }) => {
    try {
      settings = readDnsSettings(current?.data)
    } catch (error) {
      logger.warn({ configMap: `${NAMESPACE}/${NAME}`, error: (error as Error).message }, 'network: settings of DNS')
    }
  })
  return () => settings
}

/** The servers to ask for a name; undefined: those of the machine. The longest stub domain wins. */
export function serversFor({ upstream, stubDomains }: DnsSettings, name: string): readonly NameServer[] | undefined {
  if (stubDomains.size > 0) {
    let rest = name.toLowerCase().replace(/\.$/, '')
    while (rest) {
      const servers = stubDomains.get(rest)
      if (servers) return servers
      const dot = rest.indexOf('.')
      rest = dot < 0 ? '' : rest.slice(dot + 1)
    }
  }
  return upstream
}
