import type { StatefulSet as Type } from '../../generated/types/apps-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text, wide } from '../columns.ts'
import { PersistentVolumeClaim } from '../core/persistent-volume-claim.ts'
import { defaultPodSpec } from '../core/pod-spec.defaults.ts'
import { dropGatedFields } from '../core/pod-spec.gates.ts'
import { containerNames, images } from '../workload-columns.ts'
import { statefulSetRules } from './stateful-set.validate.ts'
import { statefulSetWarnings } from './stateful-set.warnings.ts'

/** apps/v1 StatefulSet. */
export type StatefulSet = Type

/** maxUnavailable is behind a feature gate that is off. It is dropped after the managed fields are told, as upstream does. */
function dropGated({ spec }: StatefulSet): void {
  delete spec?.updateStrategy?.rollingUpdate?.maxUnavailable
  dropGatedFields(spec?.template?.spec)
}

export const StatefulSet = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  singular: 'statefulset',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.apps.v1.StatefulSet',
  status: true,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  generation: true,
  defaults({ spec }) {
    if (!spec) return
    spec.podManagementPolicy ||= 'OrderedReady'
    const strategy = (spec.updateStrategy ??= {})
    if (!strategy.type) {
      strategy.type = 'RollingUpdate'
      strategy.rollingUpdate ??= {}
    }
    if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) {
      strategy.rollingUpdate.partition ??= 0
    }
    const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {})
    retention.whenDeleted ||= 'Retain'
    retention.whenScaled ||= 'Retain'
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
    defaultPodSpec(spec.template?.spec)
    for (const claim of spec.volumeClaimTemplates ?? []) {
      PersistentVolumeClaim.defaults!(claim)
      claim.apiVersion = 'v1'
      claim.kind = 'PersistentVolumeClaim'
    }
  },
  prepareCreate(set) {
    dropGated(set)
    set.status = { replicas: 0, availableReplicas: 0 }
  },
  prepareUpdate: dropGated,
  nameFormat: 'dns-label',
  rules: statefulSetRules,
  warnings: statefulSetWarnings,
  columns: [
    nameColumn,
    text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    ageColumn,
    wide('Containers', ({ spec }) => containerNames(spec?.template)),
    wide('Images', ({ spec }) => images(spec?.template)),
  ],
})
