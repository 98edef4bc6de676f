import type { ReplicaSet as Type } from '../../generated/types/apps-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, count, formatSelector, nameColumn, wide } from '../columns.ts'
import { defaultPodSpec } from '../core/pod-spec.defaults.ts'
import { dropGatedFields } from '../core/pod-spec.gates.ts'
import { namedTemplateWarnings } from '../core/pod-warnings.ts'
import { containerNames, images } from '../workload-columns.ts'
import { replicaSetRules } from './replica-set.validate.ts'

/** apps/v1 ReplicaSet. */
export type ReplicaSet = Type

export const ReplicaSet = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  singular: 'replicaset',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.apps.v1.ReplicaSet',
  status: true,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  generation: true,
  defaults({ spec }) {
    if (!spec) return
    spec.replicas ??= 1
    defaultPodSpec(spec.template?.spec)
  },
  prepareCreate(set) {
    set.status = { replicas: 0 }
    dropGatedFields(set.spec?.template?.spec)
  },
  prepareUpdate: ({ spec }) => dropGatedFields(spec?.template?.spec),
  rules: replicaSetRules,
  warnings: namedTemplateWarnings(({ spec }) => spec?.template),
  columns: [
    nameColumn,
    count('Desired', ({ spec }) => spec?.replicas),
    count('Current', ({ status }) => status?.replicas),
    count('Ready', ({ status }) => status?.readyReplicas),
    ageColumn,
    wide('Containers', ({ spec }) => containerNames(spec?.template)),
    wide('Images', ({ spec }) => images(spec?.template)),
    wide('Selector', ({ spec }) => formatSelector(spec?.selector)),
  ],
})
