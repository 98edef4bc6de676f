/** Rules of services, endpoints and what leads to them. */
import type { Json } from '../../bases/base.ts'
import { type Case, changed, of, update } from '../written.ts'

const service = (name: string, change: (spec: Json) => void) => of('Service', name, ({ spec }) => change(spec))
const ingress = (kind: string, name: string, value: Json, before?: (object: Json) => void) =>
  changed(kind, name, [{ below: '/status', patch: { status: { loadBalancer: { ingress: [value] } } } }], before)
const balanced = (name: string, value: Json) =>
  ingress('Service', name, value, ({ spec }) => {
    Object.assign(spec, { type: 'LoadBalancer', loadBalancerClass: 'example.com/x' })
  })
const long = (length: number) => 'a'.repeat(length)

export const network: readonly Case[] = [
  service('external, with families', spec => {
    Object.assign(spec, {
      type: 'ExternalName',
      externalName: 'a.b',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    })
  }),
  service('affinity of none', spec => {
    Object.assign(spec, { sessionAffinity: 'None', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } })
  }),
  service('headless, with an address', spec => (spec.clusterIPs = ['None', '10.97.0.9'])),
  service('three addresses', spec => (spec.clusterIPs = ['10.97.0.9', 'fd00::1', '10.97.0.10'])),
  service('address of another family', spec => Object.assign(spec, { clusterIP: '10.97.0.9', ipFamilies: ['IPv6'] })),
  of('Service', 'source ranges that are not used', ({ metadata }) => {
    metadata.annotations = { 'service.beta.kubernetes.io/load-balancer-source-ranges': '10.0.0.0/8' }
  }),
  update(
    'Service',
    'no addresses',
    ({ spec }) => (spec.clusterIPs = []),
    ({ spec }) => {
      Object.assign(spec, { clusterIP: '10.97.0.88', clusterIPs: ['10.97.0.88'] })
    },
  ),
  update(
    'Service',
    'no address',
    ({ spec }) => (spec.clusterIP = ''),
    ({ spec }) => (spec.clusterIP = '10.97.0.88'),
  ),
  balanced('mode without an address', { ipMode: 'VIP' }),
  balanced('bad mode', { ip: '1.2.3.4', ipMode: 'Odd' }),
  balanced('bad name', { hostname: 'A_' }),
  balanced('address as a name', { hostname: '1.2.3.4' }),
  ingress('Ingress', 'address as a name', { hostname: '1.2.3.4' }),

  of('Endpoints', 'multicast', ({ subsets }) => (subsets[0].addresses = [{ ip: '224.0.0.1' }, { ip: 'ff02::1' }])),
  of('EndpointSlice', 'short and long names', object => {
    Object.assign(object, {
      addressType: 'FQDN',
      endpoints: [{ addresses: ['localhost', `${long(64)}.example.com`, ''] }],
    })
  }),
  of('EndpointSlice', 'too many ports', object => {
    object.ports = Array.from({ length: 20_001 }, (_, index) => ({ name: `p${index}`, port: 1 }))
  }),
  of('Ingress', 'address as a host', ({ spec }) => (spec.rules = [{ host: '1.2.3.4' }])),
  of('IPAddress', 'namespace of bad form', ({ spec }) => (spec.parentRef.namespace = 'a/b')),
]
