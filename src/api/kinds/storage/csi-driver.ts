import type { CSIDriver as Type } from '../../generated/types/storage-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, flag, nameColumn, text } from '../columns.ts'
import { raiseGeneration } from '../generation.ts'
import { sameValue } from '../rules.ts'
import { csiDriverRules } from './csi-driver.validate.ts'

/** storage/v1 CSIDriver. */
export type CSIDriver = Type

const TOKENS_IN_ATTRIBUTES =
  'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes'

export const CSIDriver = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  singular: 'csidriver',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.storage.v1.CSIDriver',
  defaults({ spec }) {
    if (!spec) return
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.storageCapacity ??= false
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
    spec.requiresRepublish ??= false
    spec.seLinuxMount ??= false
  },
  prepareCreate({ spec }) {
    // Behind a feature gate that is off.
    delete spec?.preventPodSchedulingIfMissing
  },
  prepareUpdate(driver, old) {
    if (old.spec?.preventPodSchedulingIfMissing === undefined) delete driver.spec?.preventPodSchedulingIfMissing
    if (!sameValue(driver.spec, old.spec)) raiseGeneration(driver, old)
  },
  rules: csiDriverRules,
  warnings({ spec }, old) {
    if (!spec?.tokenRequests?.length || spec.serviceAccountTokenInSecrets !== undefined) return []
    return old && sameValue(spec.tokenRequests, old.spec?.tokenRequests) ? [] : [TOKENS_IN_ATTRIBUTES]
  },
  columns: [
    nameColumn,
    { name: 'AttachRequired', type: 'boolean', cell: ({ spec }) => spec?.attachRequired ?? true },
    flag('PodInfoOnMount', ({ spec }) => spec?.podInfoOnMount),
    flag('StorageCapacity', ({ spec }) => spec?.storageCapacity),
    text('TokenRequests', ({ spec }) => spec?.tokenRequests?.map(({ audience }) => audience).join(',') ?? '<unset>'),
    flag('RequiresRepublish', ({ spec }) => spec?.requiresRepublish),
    text('Modes', ({ spec }) => spec?.volumeLifecycleModes?.join(',') || '<none>'),
    ageColumn,
  ],
})
