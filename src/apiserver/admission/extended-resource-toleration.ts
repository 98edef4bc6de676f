import { isExtendedResource } from '../../api/kinds/core/resources.ts'
import type { AdmissionPlugin } from './plugin.ts'
import type { Pod } from './pod-shape.ts'

/** ExtendedResourceToleration (off unless asked for): who asks for a device may go to the nodes tainted for it. */
export const extendedResourceToleration: AdmissionPlugin = {
  name: 'ExtendedResourceToleration',
  handles: ({ kind, subresource, operation }) =>
    kind.key === 'v1/pods' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
  mutate({ object }) {
    const { spec } = object as Pod
    const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
    const asked = new Set(containers.flatMap(({ resources }) => Object.keys(resources?.requests ?? {})))
    for (const key of [...asked].filter(isExtendedResource).sort()) {
      const toleration = { key, operator: 'Exists', effect: 'NoSchedule' }
      const has = spec.tolerations?.some(
        each => each.key === key && each.operator === 'Exists' && each.effect === 'NoSchedule',
      )
      if (!has) spec.tolerations = [...(spec.tolerations ?? []), toleration]
    }
  },
}
