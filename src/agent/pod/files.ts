/** /etc/hosts and /etc/resolv.conf of a pod. */
import { readFileSync } from 'node:fs'
import type { Pod } from '../../api/generated/types/core-v1.ts'

const HEADER = '# Kubernetes-managed hosts file.\n'
const DEFAULT_HOSTS = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
]

/** A pod's host name: spec.hostnameOverride or spec.hostname or its name, of at most 63 characters. */
export function hostnameOf(pod: Pod): string {
  const name = pod.spec?.hostnameOverride ?? pod.spec?.hostname ?? pod.metadata?.name ?? ''
  return name.slice(0, 63).replace(/[-.]+$/, '')
}

const domainOf = (pod: Pod, clusterDomain: string) =>
  pod.spec?.subdomain ? `${pod.spec.subdomain}.${pod.metadata?.namespace}.svc.${clusterDomain}` : ''

/** What the kernel takes. */
const KERNEL_MAX = 64

/**
 * The name that the pod's processes see: with its domain where `setHostnameAsFQDN` wants that. Throws an `Error` for one
 * that is too long for a kernel.
 */
export function kernelHostname(pod: Pod, clusterDomain: string): string {
  const hostname = hostnameOf(pod)
  const domain = domainOf(pod, clusterDomain)
  if (!pod.spec?.setHostnameAsFQDN || !domain) return hostname
  const full = `${hostname}.${domain}`
  if (full.length <= KERNEL_MAX) return full
  throw new Error(
    `Failed to construct FQDN from Pod hostname and cluster domain, FQDN ${full} is too long (${KERNEL_MAX} characters ` +
      `is the max, ${full.length} characters requested)`,
  )
}

/** The pod's /etc/hosts: itself by name and, with a subdomain, by its full name; then hostAliases. */
export function hostsFile(pod: Pod, ips: readonly string[], clusterDomain: string): string {
  const hostname = hostnameOf(pod)
  const domain = domainOf(pod, clusterDomain)
  const own = ips.map(ip => `${ip}\t${domain ? `${hostname}.${domain}\t` : ''}${hostname}`)
  const aliases = (pod.spec?.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`)
  const extra = aliases.length > 0 ? ['', '# Entries added by HostAliases.', ...aliases] : []
  return `${HEADER}${[...DEFAULT_HOSTS, ...own, ...extra].join('\n')}\n`
}

export interface ResolvConf {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

/** The machine's own resolver settings. */
export function machineResolv(file = '/etc/resolv.conf'): ResolvConf {
  const servers: string[] = []
  const options: string[] = []
  let searches: string[] = []
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    // A machine without the file resolves nothing.
  }
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/)
    if (word === 'nameserver' && rest[0]) servers.push(rest[0])
    if (word === 'search') searches = rest
    if (word === 'options') options.push(...rest)
  }
  return { servers, searches, options }
}

/**
 * Resolver settings by spec.dnsPolicy (API doc: PodSpec) with spec.dnsConfig on top; undefined where the pod is to see
 * the machine's own file.
 */
export function resolvOf(
  pod: Pod,
  dns: { readonly servers: readonly string[]; readonly clusterDomain: string },
  machine: ResolvConf,
): ResolvConf | undefined {
  const { dnsPolicy = 'ClusterFirst', dnsConfig, hostNetwork } = pod.spec ?? {}
  const cluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork)
  if (!dnsConfig && (cluster ? dns.servers.length === 0 : dnsPolicy !== 'None')) return undefined
  const { namespace } = pod.metadata ?? {}
  const domain = dns.clusterDomain
  const base: ResolvConf =
    dnsPolicy === 'None'
      ? { servers: [], searches: [], options: [] }
      : cluster && dns.servers.length > 0
        ? {
            servers: dns.servers,
            searches: [`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...machine.searches],
            options: ['ndots:5'],
          }
        : machine
  const options = new Map(base.options.map(option => [option.split(':')[0]!, option]))
  for (const { name = '', value } of dnsConfig?.options ?? []) options.set(name, value ? `${name}:${value}` : name)
  return {
    servers: [...new Set([...base.servers, ...(dnsConfig?.nameservers ?? [])])],
    searches: [...new Set([...base.searches, ...(dnsConfig?.searches ?? [])])],
    options: [...options.values()],
  }
}

/** As resolv.conf has it. */
export const resolvText = ({ servers, searches, options }: ResolvConf): string =>
  [
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
    ...servers.map(server => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
    '',
  ].join('\n')
