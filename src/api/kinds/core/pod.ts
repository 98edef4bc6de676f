import type { Pod as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { podGracePeriod, podWarnings, preparePod, preparePodUpdate } from './pod.strategy.ts'
import { podRules } from './pod.validate.ts'
import { podColumns } from './pod-columns.ts'
import { defaultPodOnly, defaultPodSpec } from './pod-spec.defaults.ts'
import { podStatusWarnings } from './pod-warnings.ts'

/** core/v1 Pod. */
export type Pod = Type

export const Pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.Pod',
  status: true,
  subresources: [
    { name: 'attach', verbs: ['create', 'get'], responseKind: { group: '', version: 'v1', kind: 'PodAttachOptions' } },
    { name: 'binding', verbs: ['create'], responseKind: { group: '', version: 'v1', kind: 'Binding' } },
    { name: 'ephemeralcontainers', verbs: ['get', 'patch', 'update'] },
    { name: 'eviction', verbs: ['create'], responseKind: { group: 'policy', version: 'v1', kind: 'Eviction' } },
    { name: 'exec', verbs: ['create', 'get'], responseKind: { group: '', version: 'v1', kind: 'PodExecOptions' } },
    { name: 'log', verbs: ['get'] },
    {
      name: 'portforward',
      verbs: ['create', 'get'],
      responseKind: { group: '', version: 'v1', kind: 'PodPortForwardOptions' },
    },
    {
      name: 'proxy',
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
      responseKind: { group: '', version: 'v1', kind: 'PodProxyOptions' },
    },
    { name: 'resize', verbs: ['get', 'patch', 'update'] },
  ],
  generation: true,
  defaults(pod) {
    defaultPodSpec(pod.spec)
    defaultPodOnly(pod.spec)
  },
  prepareCreate: preparePod,
  prepareUpdate: preparePodUpdate,
  warnings: podWarnings,
  statusWarnings: podStatusWarnings,
  gracePeriod: podGracePeriod,
  selectable: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.host': ({ spec }) => spec?.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec?.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec?.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec?.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec?.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIPs?.[0]?.ip ?? '',
    'status.podIPs': ({ status }) => status?.podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  rules: podRules,
  columns: podColumns,
})
