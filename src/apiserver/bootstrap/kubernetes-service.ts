/** The service `kubernetes` in `default`, by which pods find the API server, and its endpoints. */
import { SERVICE_NAME } from '../../api/kinds/discovery/service-name.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { addressAt, familyOf, parseCidrs } from '../../lib/ip-range.ts'
import type { Registry } from '../registry/registry.ts'
import { SERVICE_CIDR } from '../services/address-ranges.ts'
import { BOOTSTRAP_USER } from './reconcile.ts'

export interface KubernetesServiceOptions {
  /** Where the API server listens, as pods can reach it: of the family of the first network. */
  readonly address: string
  readonly port: number
  /** Networks of service addresses; the service has the first address of the first one. Default 10.96.0.0/16. */
  readonly serviceCidr?: string
}

const NAMESPACE = 'default'
const NAME = 'kubernetes'

/** The first address of the network: that of the service. */
export const kubernetesServiceIP = (serviceCidr = SERVICE_CIDR) => addressAt(parseCidrs(serviceCidr)[0], 1)

function objects({ address, port, serviceCidr }: KubernetesServiceOptions): KubeObject[] {
  const metadata = { name: NAME, namespace: NAMESPACE }
  const clusterIP = kubernetesServiceIP(serviceCidr)
  const ports = [{ name: 'https', port, protocol: 'TCP' }]
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: [familyOf(clusterIP)],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
    },
  }
  const endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: address }], ports }],
  }
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { [SERVICE_NAME]: NAME } },
    addressType: familyOf(address),
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports,
  }
  return [service, endpoints, slice]
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** The part of an object that must be right. */
function state(object: KubeObject): unknown {
  const { spec, subsets, endpoints, ports } = object as {
    spec?: { ports?: unknown }
    subsets?: unknown
    endpoints?: unknown
    ports?: unknown
  }
  return [spec?.ports, subsets, endpoints, ports]
}

/** Makes the service and its endpoints, or corrects where they point. To be called when the server listens. */
export async function publishKubernetesService(registry: Registry, options: KubernetesServiceOptions): Promise<void> {
  const context = { user: BOOTSTRAP_USER, fieldManager: 'kube-apiserver' }
  for (const wanted of objects(options)) {
    const kind = registry.kindOf(wanted.apiVersion!, wanted.kind!)
    if (!kind) continue
    const current = registry.reader(kind).get(NAMESPACE, NAME)
    if (!current) await registry.create(kind, NAMESPACE, wanted, context)
    else if (!same(state(current.value), state(wanted))) {
      const { metadata: _, ...rest } = wanted
      // A service keeps its address, whatever else is wrong with it.
      await registry.update(
        kind,
        { namespace: NAMESPACE, name: NAME },
        object => {
          if (kind.plural === 'services') (object as { spec: object }).spec = { ...(wanted as { spec?: object }).spec }
          else Object.assign(object, rest)
        },
        context,
      )
    }
  }
}
