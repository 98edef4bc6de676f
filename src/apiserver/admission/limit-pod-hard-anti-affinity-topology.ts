import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { refuse } from './refusal.ts'

const HOSTNAME = 'kubernetes.io/hostname'

/** LimitPodHardAntiAffinityTopology (off unless asked for): a pod keeps others off its node, not off a whole zone. */
export const limitPodHardAntiAffinityTopology: AdmissionPlugin = {
  name: 'LimitPodHardAntiAffinityTopology',
  handles: ({ kind, subresource, operation }) =>
    kind.key === 'v1/pods' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
  validate(request) {
    const { spec } = request.object as Pod
    const terms = spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
    const wide = terms.find(each => each.topologyKey !== HOSTNAME)
    if (wide)
      throw refuse(
        request,
        `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${wide.topologyKey} but only key ${HOSTNAME} is allowed`,
      )
  },
}
