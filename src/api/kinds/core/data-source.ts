/** The two fields for what a claim starts from (https://kep.k8s.io/1495). */
import type { PersistentVolumeClaimSpec } from '../../generated/types/core-v1.ts'

const isKnown = ({ apiGroup, kind }: NonNullable<PersistentVolumeClaimSpec['dataSource']>) =>
  apiGroup ? kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io' : kind === 'PersistentVolumeClaim'

/**
 * Fills in, in place, the one field from the other. The older field holds claims and snapshots only: anything else
 * there was always ignored, and is dropped, unless the claim had a source already.
 */
export function alignSources(
  spec: PersistentVolumeClaimSpec | undefined,
  old: PersistentVolumeClaimSpec | undefined,
): void {
  if (!spec) return
  // CrossNamespaceVolumeDataSource is off by default.
  if (spec.dataSourceRef?.namespace && !old?.dataSourceRef) delete spec.dataSourceRef
  const { dataSource, dataSourceRef } = spec
  if (dataSource && !dataSourceRef) {
    if (old?.dataSource || old?.dataSourceRef || isKnown(dataSource)) spec.dataSourceRef = { ...dataSource }
    else delete spec.dataSource
  } else if (dataSourceRef && !dataSource && !dataSourceRef.namespace) {
    const { namespace: _none, ...local } = dataSourceRef
    spec.dataSource = local
  }
}
