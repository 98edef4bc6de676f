import type { EndpointSlice as Type } from '../../generated/types/discovery-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { equalJson } from '../../machinery/merge-patch.ts'
import { ageColumn, firstOf, nameColumn, text } from '../columns.ts'
import { raiseGeneration } from '../generation.ts'
import { addressWarnings } from '../ip-warnings.ts'
import { endpointSliceRules } from './endpoint-slice.validate.ts'

/** discovery/v1 EndpointSlice. */
export type EndpointSlice = Type

/** A field of an older version of the API. */
function dropTopology({ endpoints }: EndpointSlice): void {
  for (const endpoint of endpoints ?? []) delete endpoint.deprecatedTopology
}

/** Controllers whose addresses are known to be well written. */
const CAREFUL = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io']

function addressesWarnings({ metadata, endpoints = [] }: EndpointSlice): string[] {
  if (CAREFUL.includes(metadata?.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '')) return []
  return endpoints.flatMap(({ addresses = [] }, at) =>
    addresses.flatMap((address, index) => addressWarnings(address, `endpoints[${at}].addresses[${index}]`)),
  )
}

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
  prepareCreate: dropTopology,
  prepareUpdate(slice, old) {
    // What a slice belongs to is said by labels, so a change of theirs is a generation too. So is what was said in vain.
    const vain = slice.endpoints?.some(({ deprecatedTopology: topology }) => topology && Object.keys(topology).length)
    dropTopology(slice)
    if (!vain && equalJson(slice.metadata?.labels ?? {}, old.metadata?.labels ?? {})) return
    raiseGeneration(slice, old)
  },
  rules: endpointSliceRules,
  warnings: (slice, old) => [
    ...(slice.addressType === 'FQDN' && !old ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
    ...addressesWarnings(slice),
  ],
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
