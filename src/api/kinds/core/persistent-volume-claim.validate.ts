/** Rules of PersistentVolumeClaims (k8s.io/kubernetes `pkg/apis/core/validation`). */
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimStatus,
  TypedObjectReference,
} from '../../generated/types/core-v1.ts'
import { forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { validateLabelSelector } from '../../machinery/label-selector.ts'
import { isQualifiedName } from '../../machinery/names.ts'
import { compareQuantities, quantityProblem, quantityValue } from '../../machinery/quantity.ts'
import {
  check,
  checkFormat,
  checkSubdomain,
  checkSupported,
  type Errors,
  IMMUTABLE,
  onObject,
  onStatus,
  sameValue,
} from '../rules.ts'
import { checkAccessModes, VOLUME_MODES } from './access-modes.validate.ts'
import type { ResourceList } from './resources.ts'

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class'
const RESIZE_STATUSES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
].sort()

function checkSource(source: TypedObjectReference, keepsGroup: boolean, path: string, errors: Errors): void {
  const { apiGroup, kind, name } = source
  if (!name) errors.push(required(`${path}.name`))
  if (!kind) errors.push(required(`${path}.kind`))
  if (apiGroup) {
    if (!keepsGroup) checkSubdomain(apiGroup, `${path}.apiGroup`, errors)
  } else if (kind !== 'PersistentVolumeClaim') {
    const what = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
    errors.push(invalid(path, kind ?? '', what))
  }
}

function checkSources(
  { dataSource, dataSourceRef }: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec | undefined,
  path: string,
  errors: Errors,
): void {
  // Upstream was not always strict about groups: a claim that has one is not asked again.
  const keepsGroup = old?.dataSource?.apiGroup !== undefined || old?.dataSourceRef?.apiGroup !== undefined
  if (dataSource) checkSource(dataSource, keepsGroup, `${path}.dataSource`, errors)
  if (!dataSourceRef) return
  checkSource(dataSourceRef, keepsGroup, `${path}.dataSourceRef`, errors)
  if (!dataSource) return
  // Upstream shows a path, which is an empty object as JSON.
  if (dataSourceRef.namespace) {
    errors.push(invalid(path, {}, 'may not be specified when dataSourceRef.namespace is specified'))
  } else if (!sameValue(dataSource, dataSourceRef) || dataSource.apiGroup !== dataSourceRef.apiGroup) {
    errors.push(invalid(path, {}, 'must match dataSourceRef'))
  }
}

function checkSize(size: string | undefined, path: string, errors: Errors): void {
  if (size === undefined) errors.push(required(path))
  else if (quantityProblem(size) === undefined && compareQuantities(size, '0') <= 0) {
    errors.push(invalid(path, size, 'must be greater than zero'))
  }
}

/** A claim's spec, as it stands in a claim or a template. */
export function checkClaimSpec(
  spec: PersistentVolumeClaimSpec,
  path: string,
  errors: Errors,
  old?: PersistentVolumeClaimSpec,
): void {
  const { accessModes = [], selector, storageClassName, volumeMode, volumeAttributesClassName } = spec
  if (!accessModes.length) errors.push(required(`${path}.accessModes`, 'at least 1 access mode is required'))
  if (selector) errors.push(...validateLabelSelector(selector, `${path}.selector`))
  checkAccessModes(accessModes, `${path}.accessModes`, errors)
  checkSize(spec.resources?.requests?.storage, `${path}.resources[storage]`, errors)
  if (storageClassName) checkSubdomain(storageClassName, `${path}.storageClassName`, errors)
  checkSupported(volumeMode, VOLUME_MODES, `${path}.volumeMode`, errors)
  checkSources(spec, old, path, errors)
  if (volumeAttributesClassName) checkSubdomain(volumeAttributesClassName, `${path}.volumeAttributesClassName`, errors)
}

/** Sets the class aside where it may change: it comes once, or moves from the annotation of old to the field. */
function allowClass(kept: PersistentVolumeClaimSpec, next: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  const before = old.metadata?.annotations?.[BETA_CLASS]
  const name = next.spec?.storageClassName
  if (old.spec?.storageClassName !== undefined || name === undefined) return
  if (before === undefined || before === name) delete kept.storageClassName
}

function checkAnnotation(next: PersistentVolumeClaim, old: PersistentVolumeClaim, errors: Errors): void {
  const [after, before] = [next, old].map(({ metadata }) => metadata?.annotations?.[BETA_CLASS])
  const moved =
    before !== undefined && old.spec?.storageClassName === undefined && next.spec?.storageClassName === before
  if (moved && (after === undefined || after === before)) return
  if ((after ?? '') !== (before ?? '')) {
    errors.push(invalid(`metadata.annotations.${BETA_CLASS}`, after ?? '', IMMUTABLE))
  }
}

function checkAttributesClass(next: PersistentVolumeClaim, old: PersistentVolumeClaim, errors: Errors): void {
  const name = next.spec?.volumeAttributesClassName
  if (name || !old.status?.currentVolumeAttributesClassName) return
  if (name === old.spec?.volumeAttributesClassName) return
  const what = `update to ${name === undefined ? 'nil' : 'empty string'} is forbidden when status.currentVolumeAttributesClassName is not nil`
  errors.push(forbidden('spec.volumeAttributesClassName', what))
}

const sizeOf = (spec: PersistentVolumeClaimSpec | undefined) => spec?.resources?.requests?.storage ?? '0'

/** A claim may shrink again after an expansion that failed, but not below what there is. */
function checkShrinking(next: PersistentVolumeClaim, old: PersistentVolumeClaim, errors: Errors): void {
  const size = sizeOf(next.spec)
  if (quantityProblem(size) !== undefined || compareQuantities(size, sizeOf(old.spec)) >= 0) return
  if (compareQuantities(size, old.status?.capacity?.storage ?? '0') <= 0) {
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
  }
}

function checkChange(next: PersistentVolumeClaim, old: PersistentVolumeClaim, errors: Errors): void {
  const before: PersistentVolumeClaimSpec = old.spec ?? {}
  const kept: PersistentVolumeClaimSpec = { ...next.spec }
  if (!before.volumeName) delete kept.volumeName
  checkAnnotation(next, old, errors)
  allowClass(kept, next, old)
  if (next.status?.phase === 'Bound') {
    if (kept.resources?.requests) {
      const requests = { ...kept.resources.requests, storage: sizeOf(before) }
      kept.resources = { ...kept.resources, requests }
    }
    Object.assign(kept, { volumeAttributesClassName: before.volumeAttributesClassName })
  }
  if (!sameValue(kept, before) || kept.dataSource?.apiGroup !== before.dataSource?.apiGroup) {
    const what =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
    errors.push(forbidden('spec', what))
  }
  checkShrinking(next, old, errors)
  if (next.spec?.volumeMode !== before.volumeMode) {
    errors.push(invalid('volumeMode', next.spec?.volumeMode, IMMUTABLE))
  }
  checkAttributesClass(next, old, errors)
}

/** A resource of a claim's status: `storage`, or a vendor's. */
function checkResourceName(name: string, path: string, errors: Errors): boolean {
  const problems = isQualifiedName(name)
  const native = !name.includes('/') || name.includes('kubernetes.io/')
  if (problems.length) checkFormat(problems, name, path, errors)
  else if (native && name !== 'storage') errors.push(notSupported(path, name, ['storage']))
  else return true
  return false
}

function checkAmount(amount: string, path: string, errors: Errors): void {
  if (quantityProblem(amount) !== undefined) return
  const value = quantityValue(amount)
  if (value < 0) errors.push(invalid(path, value, 'must be a valid resource quantity'))
}

function checkStatus(status: PersistentVolumeClaimStatus, errors: Errors): void {
  const capacity: ResourceList = status.capacity ?? {}
  for (const name in capacity) checkAmount(capacity[name]!, `status.capacity[${name}]`, errors)
  const statuses = 'status.allocatedResourceStatuses'
  for (const [name, value] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    checkResourceName(name, statuses, errors)
    if (!RESIZE_STATUSES.includes(value)) errors.push(notSupported(statuses, name, RESIZE_STATUSES))
  }
  const allocated: ResourceList = status.allocatedResources ?? {}
  for (const name in allocated) {
    if (!checkResourceName(name, 'status.allocatedResources', errors)) continue
    checkAmount(allocated[name]!, `status.allocatedResources[${name}]`, errors)
  }
}

export const persistentVolumeClaimRules: readonly Rule<PersistentVolumeClaim>[] = [
  onObject(
    check<PersistentVolumeClaim>((next, errors, old) => {
      checkClaimSpec(next.spec ?? {}, 'spec', errors, old?.spec)
      if (old) checkChange(next, old, errors)
    }),
  ),
  onStatus(check<PersistentVolumeClaim>(({ status }, errors) => checkStatus(status ?? {}, errors))),
]
