import type { Endpoints as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, firstOf, nameColumn, text } from '../columns.ts'
import { addressWarnings } from '../ip-warnings.ts'
import { endpointsRules } from './endpoints.validate.ts'

/** core/v1 Endpoints. */
export type Endpoints = Type

/** The first three addresses with their ports. */
function addresses({ subsets = [] }: Endpoints): string {
  if (!subsets.length) return '<none>'
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length
      ? ports.flatMap(({ port }) => addresses.map(({ ip }) => `${ip.includes(':') ? `[${ip}]` : ip}:${port}`))
      : addresses.map(({ ip }) => ip),
  )
  return firstOf(all, 3)
}

/** What the controller of the kind writes is right. */
function addressesWarnings({ metadata, subsets = [] }: Endpoints): string[] {
  if (metadata?.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return []
  return subsets.flatMap((subset, index) =>
    (['addresses', 'notReadyAddresses'] as const).flatMap(field =>
      (subset[field] ?? []).flatMap(({ ip }, at) => addressWarnings(ip, `subsets[${index}].${field}[${at}].ip`)),
    ),
  )
}

export const Endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.Endpoints',
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  defaults(endpoints) {
    for (const { ports } of endpoints.subsets ?? []) for (const port of ports ?? []) port.protocol ||= 'TCP'
  },
  rules: endpointsRules,
  warnings: addressesWarnings,
  columns: [nameColumn, text('Endpoints', addresses), ageColumn],
})
