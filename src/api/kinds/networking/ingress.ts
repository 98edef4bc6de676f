import type { Ingress as Type } from '../../generated/types/networking-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { loadBalancerAddresses } from '../core/load-balancer.ts'
import { ingressWarnings } from '../ip-warnings.ts'
import { ingressRules } from './ingress.validate.ts'

/** networking/v1 Ingress. */
export type Ingress = Type

/** The hosts of the first three rules. */
function hosts({ spec }: Ingress): string {
  const rules = spec?.rules ?? []
  const names = rules.flatMap(({ host }) => host || [])
  const shown = names.slice(0, 3)
  if (!shown.length) return '*'
  return names.length >= 3 && rules.length > 3 ? `${shown.join(',')} + ${rules.length - 3} more...` : shown.join(',')
}

export const Ingress = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  singular: 'ingress',
  shortNames: ['ing'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.networking.v1.Ingress',
  status: true,
  generation: true,
  rules: ingressRules,
  statusWarnings: ({ status }) => ingressWarnings(status?.loadBalancer?.ingress),
  columns: [
    nameColumn,
    text('Class', ({ spec }) => spec?.ingressClassName ?? '<none>'),
    text('Hosts', hosts),
    text('Address', ({ status }) => loadBalancerAddresses(status?.loadBalancer?.ingress)),
    text('Ports', ({ spec }) => (spec?.tls?.length ? '80, 443' : '80')),
    ageColumn,
  ],
})
