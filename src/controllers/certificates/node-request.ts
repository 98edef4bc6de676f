/** What a node may ask a certificate for (Kubernetes documentation, "Certificate Signing Requests", signers). Pure. */
import type { Node } from '../../api/generated/types/core-v1.ts'
import { NODE_TRAFFIC } from '../../client/node-traffic.ts'
import type { CertificateWish } from '../../lib/pki/certificate-request.ts'

export const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet'
export const KUBELET_SERVING = 'kubernetes.io/kubelet-serving'
export const API_CLIENT = 'kubernetes.io/kube-apiserver-client'
export const LEGACY_UNKNOWN = 'kubernetes.io/legacy-unknown'

export const NODES = 'system:nodes'
export const NODE_PREFIX = 'system:node:'

/** Whether `usages` are exactly these, with or without `key encipherment`, which only RSA keys need. */
function areUsages(usages: readonly string[], auth: string): boolean {
  const given = new Set(usages)
  given.delete('key encipherment')
  return given.size === 2 && given.has('digital signature') && given.has(auth)
}

const wantedUsages = (auth: string) =>
  `usages did not match [${['digital signature', 'key encipherment', auth].sort().join(' ')}]`

/** What keeps a request from being that of a node's client certificate; undefined when nothing. */
export function clientFault(wish: CertificateWish, usages: readonly string[]): string | undefined {
  const { organizations, dns, emails, ips, uris, commonName } = wish
  if (organizations.length !== 1 || organizations[0] !== NODES) return `subject organization is not ${NODES}`
  if (dns.length) return 'DNS subjectAltNames are not allowed'
  if (emails.length) return 'Email subjectAltNames are not allowed'
  if (ips.length) return 'IP subjectAltNames are not allowed'
  if (uris.length) return 'URI subjectAltNames are not allowed'
  if (!commonName.startsWith(NODE_PREFIX)) return 'subject common name does not begin with system:node:'
  return areUsages(usages, 'client auth') ? undefined : wantedUsages('client auth')
}

/** The same for the certificate that a node serves with. */
export function servingFault(wish: CertificateWish, usages: readonly string[]): string | undefined {
  const { organizations, dns, emails, ips, uris, commonName } = wish
  if (organizations.length !== 1 || organizations[0] !== NODES) return `subject organization is not ${NODES}`
  if (!dns.length && !ips.length) return 'DNS or IP subjectAltName is required'
  if (emails.length) return 'Email subjectAltNames are not allowed'
  if (uris.length) return 'URI subjectAltNames are not allowed'
  if (!areUsages(usages, 'server auth')) return wantedUsages('server auth')
  return commonName.startsWith(NODE_PREFIX) ? undefined : 'subject common name does not begin with system:node:'
}

const LOCAL = /^(127\.|::1$|0\.0\.0\.0$|::$|localhost$)/

/**
 * The first name or address in a request for a serving certificate that is not the node's to have: one that its object
 * does not name, that another node has too, that is this machine's own everywhere, or that is `reserved`. Certificates
 * of nodes and of the API server have one authority: who had one for the API server's address could pose as it.
 */
export function foreignName(
  { commonName, dns, ips }: CertificateWish,
  nodes: readonly Node[],
  reserved: readonly string[],
): string | undefined {
  const name = commonName.slice(NODE_PREFIX.length)
  const addressesOf = ({ status }: Node) => (status?.addresses ?? []).map(({ address }) => address)
  const own = new Set(nodes.filter(({ metadata }) => metadata?.name === name).flatMap(addressesOf))
  const others = new Set(nodes.filter(({ metadata }) => metadata?.name !== name).flatMap(addressesOf))
  return [...dns, ...ips].find(
    each => !own.has(each) || others.has(each) || reserved.includes(each) || LOCAL.test(each),
  )
}

/** The same for the certificate of the account of a node's traffic, which the node of that name may ask for. */
export function trafficFault(wish: CertificateWish, usages: readonly string[]): string | undefined {
  const { organizations, dns, emails, ips, uris, commonName } = wish
  if (organizations.length !== 1 || organizations[0] !== NODE_TRAFFIC)
    return `subject organization is not ${NODE_TRAFFIC}`
  if (dns.length + emails.length + ips.length + uris.length) return 'subjectAltNames are not allowed'
  if (!commonName.startsWith(`${NODE_TRAFFIC}:`)) return `subject common name does not begin with ${NODE_TRAFFIC}:`
  return areUsages(usages, 'client auth') ? undefined : wantedUsages('client auth')
}

/** The same for certificates of other clients: only their usages matter. */
export function apiClientFault(_wish: CertificateWish, usages: readonly string[]): string | undefined {
  const bad = usages.find(usage => !['digital signature', 'key encipherment', 'client auth'].includes(usage))
  if (bad !== undefined) return `invalid usage for client certificate: ${bad}`
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth'
}
