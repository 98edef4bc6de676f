/** Addresses in forms that are not the best, wherever addresses stand. */
import type { Json } from '../../bases/base.ts'
import { statuses } from '../../bases/status.ts'
import { type Case, changed, of } from '../written.ts'

/** Zeros before a number, version 4 inside version 6, and another form than the shortest. */
const FORMS = ['01.2.3.4', '::ffff:1.2.3.4', 'FD00::1']

const claim: Json = statuses['resource.k8s.io/v1 ResourceClaim']!
const reached = (kind: string, ip: string, before?: (object: Json) => void) =>
  changed(kind, ip, [{ below: '/status', patch: { status: { loadBalancer: { ingress: [{ ip }] } } } }], before)
const balanced = { type: 'LoadBalancer', loadBalancerClass: 'example.com/x' }
const RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges'

const written = (ip: string): readonly Case[] => [
  of('Service', `external ${ip}`, ({ spec }) => (spec.externalIPs = [ip])),
  of('Service', `cluster ${ip}`, ({ spec }) => (spec.clusterIP = ip)),
  of('Service', `balanced ${ip}`, ({ spec }) => {
    Object.assign(spec, balanced, { loadBalancerIP: ip, loadBalancerSourceRanges: [`${ip}/8`] })
  }),
  of('Service', `ranges of old ${ip}`, ({ metadata, spec }) => {
    metadata.annotations = { [RANGES]: `10.0.0.0/8, ${ip}/8` }
    Object.assign(spec, balanced)
  }),
  reached('Service', ip, ({ spec }) => Object.assign(spec, balanced)),
  reached('Ingress', ip),
  of('Endpoints', ip, ({ subsets }) => (subsets[0].addresses = [{ ip }])),
  of('EndpointSlice', ip, object => (object.endpoints = [{ addresses: [ip] }])),
  of('EndpointSlice', `of version 6: ${ip}`, object => {
    Object.assign(object, { addressType: 'IPv6', endpoints: [{ addresses: [ip] }] })
  }),
  of('Pod', ip, ({ spec }) => {
    Object.assign(spec, { hostAliases: [{ ip, hostnames: ['a'] }], dnsConfig: { nameservers: [ip] } })
  }),
  changed('Pod', ip, [{ below: '/status', patch: { status: { podIPs: [{ ip }], hostIPs: [{ ip }] } } }]),
  of('Node', ip, object => (object.spec = { podCIDRs: [`${ip}/24`] })),
  of('NetworkPolicy', ip, ({ spec }) => {
    spec.ingress = [{ from: [{ ipBlock: { cidr: `${ip}/8` } }] }]
    spec.egress = [{ to: [{ ipBlock: { cidr: '::/0', except: [`${ip}/128`] } }] }]
  }),
  of('ServiceCIDR', ip, ({ spec }) => (spec.cidrs = [`${ip}/24`])),
  of('IPAddress', ip, ({ metadata }) => (metadata.name = ip)),
  changed('ResourceClaim', ip, [
    {
      below: '/status',
      patch: { status: { ...claim, devices: [{ ...claim.devices[0], networkData: { ips: [`${ip}/24`] } }] } },
    },
  ]),
]

export const addresses: readonly Case[] = [
  ...FORMS.flatMap(written),
  of('Endpoints', 'multicast of any kind', ({ subsets }) => (subsets[0].addresses = [{ ip: 'ff12::1' }])),
]
