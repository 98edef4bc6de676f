/** The columns of `kubectl get services`. */
import type { Service } from '../../generated/types/core-v1.ts'
import type { Column } from '../../machinery/kind.ts'
import { ageColumn, formatLabels, nameColumn, text, wide } from '../columns.ts'
import { loadBalancerAddresses } from './load-balancer.ts'

function externalIP({ spec, status }: Service): string {
  const own = spec?.externalIPs ?? []
  switch (spec?.type) {
    case 'ClusterIP':
    case 'NodePort':
      return own.join(',') || '<none>'
    case 'LoadBalancer':
      return [loadBalancerAddresses(status?.loadBalancer?.ingress), ...own].filter(Boolean).join(',') || '<pending>'
    case 'ExternalName':
      return spec.externalName ?? ''
    default:
      return '<unknown>'
  }
}

const ports = ({ spec }: Service) =>
  spec?.ports
    ?.map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol ?? 'TCP'}`)
    .join(',') || '<none>'

export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  text('Type', service => service.spec?.type ?? ''),
  text('Cluster-IP', service => service.spec?.clusterIPs?.[0] ?? '<none>'),
  text('External-IP', externalIP),
  text('Port(s)', ports),
  ageColumn,
  wide('Selector', service => formatLabels(service.spec?.selector)),
]
