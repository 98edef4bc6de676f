import type { EndpointSlice as Type } from '../../generated/types/discovery-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, firstOf, nameColumn, text } from '../columns.ts'
import { endpointSliceRules } from './endpoint-slice.validate.ts'

/** discovery/v1 EndpointSlice. */
export type EndpointSlice = Type

export const EndpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  singular: 'endpointslice',
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.discovery.v1.EndpointSlice',
  generation: true,
  defaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
  // A field of an older version of the API.
  prepareCreate({ endpoints }) {
    for (const endpoint of endpoints ?? []) delete endpoint.deprecatedTopology
  },
  rules: endpointSliceRules,
  columns: [
    nameColumn,
    text('AddressType', ({ addressType }) => addressType ?? ''),
    text(
      'Ports',
      ({ ports }) =>
        firstOf(
          (ports ?? []).map(({ port, name }) => String(port ?? name ?? '*')),
          3,
        ) || '<unset>',
    ),
    text(
      'Endpoints',
      ({ endpoints }) =>
        firstOf(
          (endpoints ?? []).flatMap(one => one.addresses ?? []),
          3,
        ) || '<unset>',
    ),
    ageColumn,
  ],
})
