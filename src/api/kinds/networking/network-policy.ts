import type { NetworkPolicy as Type } from '../../generated/types/networking-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, formatSelector, nameColumn, text } from '../columns.ts'
import { cidrWarnings } from '../ip-warnings.ts'
import { directionsOf, networkPolicyRules } from './network-policy.validate.ts'

/** networking/v1 NetworkPolicy. */
export type NetworkPolicy = Type

const blockWarnings = (spec: NonNullable<NetworkPolicy['spec']>): string[] =>
  directionsOf(spec).flatMap(({ peers, at }) =>
    peers.flatMap(({ ipBlock }, index) => {
      if (!ipBlock) return []
      const path = `${at}[${index}].ipBlock`
      const except = (ipBlock.except ?? []).flatMap((each, place) => cidrWarnings(each, `${path}.except[${place}]`))
      return [...cidrWarnings(ipBlock.cidr, `${path}.cidr`), ...except]
    }),
  )

export const NetworkPolicy = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  singular: 'networkpolicy',
  shortNames: ['netpol'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.networking.v1.NetworkPolicy',
  generation: true,
  defaults({ spec }) {
    if (!spec) return
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
    }
  },
  rules: networkPolicyRules,
  warnings: ({ spec }) => (spec ? blockWarnings(spec) : []),
  columns: [nameColumn, text('Pod-Selector', ({ spec }) => formatSelector(spec?.podSelector ?? {})), ageColumn],
})
