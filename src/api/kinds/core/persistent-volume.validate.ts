/** Rules of PersistentVolumes (k8s.io/kubernetes `pkg/apis/core/validation`). */
import type { PersistentVolume, PersistentVolumeSpec } from '../../generated/types/core-v1.ts'
import { forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { compareQuantities, quantityProblem, quantityValue } from '../../machinery/quantity.ts'
import { check, checkSubdomain, checkSupported, type Errors, IMMUTABLE, onObject, sameValue } from '../rules.ts'
import { checkAccessModes, VOLUME_MODES } from './access-modes.validate.ts'
import { checkPersistentSource, SOURCE_FIELDS } from './persistent-source.validate.ts'
import type { ResourceList } from './resources.ts'
import { checkNodeSelectorTerms } from './scheduling.validate.ts'

const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain']
const INLINE = 'in the context of inline volumes'

function checkCapacity(given: ResourceList | undefined, path: string, errors: Errors): void {
  const capacity = given ?? {}
  const names = Object.keys(capacity)
  if (!names.length) errors.push(required(path))
  if (capacity.storage === undefined || names.length > 1) {
    errors.push(notSupported(path, given, ['storage']))
  }
  for (const name of names) {
    const amount = capacity[name]!
    const at = `${path}[${name}]`
    if (quantityProblem(amount) !== undefined) continue
    const value = quantityValue(amount)
    if (value < 0) errors.push(invalid(at, value, 'must be a valid resource quantity'))
    if (compareQuantities(amount, '0') <= 0) errors.push(invalid(at, amount, 'must be greater than zero'))
  }
}

/** What a spec inside another object may not say. */
function checkInline(spec: PersistentVolumeSpec, path: string, errors: Errors): void {
  const none = `may not be specified ${INLINE}`
  if (spec.claimRef) errors.push(forbidden(`${path}.claimRef`, none))
  if (Object.keys(spec.capacity ?? {}).length) errors.push(forbidden(`${path}.capacity`, none))
  if (!spec.csi) errors.push(required(`${path}.csi`, `has to be specified ${INLINE}`))
}

function checkAffinity({ nodeAffinity }: PersistentVolumeSpec, path: string, errors: Errors): void {
  const at = `${path}.nodeAffinity.required`
  if (nodeAffinity?.required) {
    checkNodeSelectorTerms(nodeAffinity.required.nodeSelectorTerms, `${at}.nodeSelectorTerms`, errors)
  } else if (nodeAffinity) errors.push(required(at, 'must specify required node constraints'))
}

/** The root of a node is not swept. */
function checkRecycledRoot(spec: PersistentVolumeSpec, path: string, errors: Errors): void {
  if (spec.persistentVolumeReclaimPolicy !== 'Recycle' || !/^\/[/.]*$/.test(spec.hostPath?.path ?? '')) return
  const at = `${path}.persistentVolumeReclaimPolicy`
  errors.push(forbidden(at, "may not be 'recycle' for a hostPath mount of '/'"))
}

function checkAttributesClass(spec: PersistentVolumeSpec, path: string, errors: Errors): void {
  const name = spec.volumeAttributesClassName
  if (name === undefined) return
  const at = `${path}.volumeAttributesClassName`
  if (name) checkSubdomain(name, at, errors)
  else errors.push(required(at, 'an empty string is disallowed'))
  if (!spec.csi) errors.push(required(`${path}.csi`, 'has to be specified when using volumeAttributesClassName'))
}

/** A volume's spec; `name` is the volume's. */
export function checkVolumeSpec(spec: PersistentVolumeSpec, path: string, name: string, errors: Errors): void {
  if (!spec.accessModes?.length) errors.push(required(`${path}.accessModes`))
  checkAccessModes(spec.accessModes ?? [], `${path}.accessModes`, errors)
  checkCapacity(spec.capacity, `${path}.capacity`, errors)
  const policy = spec.persistentVolumeReclaimPolicy || undefined
  checkSupported(policy, RECLAIM_POLICIES, `${path}.persistentVolumeReclaimPolicy`, errors)
  checkAffinity(spec, path, errors)
  checkPersistentSource(spec, path, name, errors)
  checkRecycledRoot(spec, path, errors)
  if (spec.storageClassName) checkSubdomain(spec.storageClassName, `${path}.storageClassName`, errors)
  checkSupported(spec.volumeMode, VOLUME_MODES, `${path}.volumeMode`, errors)
  checkAttributesClass(spec, path, errors)
}

/** A volume's spec inside a VolumeAttachment. */
export function checkInlineVolumeSpec(spec: PersistentVolumeSpec, path: string, errors: Errors): void {
  checkInline(spec, path, errors)
  if (!spec.accessModes?.length) errors.push(required(`${path}.accessModes`))
  checkAccessModes(spec.accessModes ?? [], `${path}.accessModes`, errors)
  const { persistentVolumeReclaimPolicy: policy, volumeMode } = spec
  if (policy && policy !== 'Retain') {
    errors.push(forbidden(`${path}.persistentVolumeReclaimPolicy`, `may only be Retain ${INLINE}`))
  }
  if (spec.nodeAffinity) errors.push(forbidden(`${path}.nodeAffinity`, `may not be specified ${INLINE}`))
  checkPersistentSource(spec, path, '', errors)
  checkRecycledRoot(spec, path, errors)
  if (spec.storageClassName) errors.push(forbidden(`${path}.storageClassName`, `may not be specified ${INLINE}`))
  if (volumeMode !== undefined && volumeMode !== 'Filesystem') {
    errors.push(forbidden(`${path}.volumeMode`, `may not specify volumeMode other than Filesystem ${INLINE}`))
  }
}

const sourceOf = (spec: PersistentVolumeSpec) => Object.fromEntries(SOURCE_FIELDS.map(field => [field, spec[field]]))

/** The secret for growing a volume may come later. */
function sameSource(next: PersistentVolumeSpec, old: PersistentVolumeSpec): boolean {
  const source = sourceOf(next)
  if (next.csi && old.csi && !old.csi.controllerExpandSecretRef) {
    const { controllerExpandSecretRef: _added, ...csi } = next.csi
    source.csi = csi
  }
  return sameValue(source, sourceOf(old))
}

/** Labels of nodes that have a name of old. */
const RENAMED: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
}

function sameAffinity(next: PersistentVolumeSpec, old: PersistentVolumeSpec): boolean {
  const terms = next.nodeAffinity?.required?.nodeSelectorTerms
  const renamed = old.nodeAffinity?.required?.nodeSelectorTerms?.map((term, index) => ({
    ...term,
    matchExpressions: term.matchExpressions?.map((each, place) => {
      // Upstream lets a key of any other name go, too.
      const key = RENAMED[each.key] ?? ''
      return terms?.[index]?.matchExpressions?.[place]?.key === key ? { ...each, key } : each
    }),
  }))
  return sameValue(terms, renamed)
}

function checkChange(next: PersistentVolumeSpec, old: PersistentVolumeSpec, errors: Errors): void {
  if (!sameSource(next, old)) {
    const what = 'spec.persistentvolumesource is immutable after creation'
    errors.push(forbidden('spec.persistentvolumesource', what))
  }
  if (next.volumeMode !== old.volumeMode) errors.push(invalid('volumeMode', next.volumeMode, IMMUTABLE))
  if (old.nodeAffinity && !sameAffinity(next, old)) {
    errors.push(invalid('nodeAffinity', next.nodeAffinity, `${IMMUTABLE}, except for updating from beta label to GA`))
  }
  if (old.volumeAttributesClassName !== undefined && next.volumeAttributesClassName === undefined) {
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
  }
}

const MOUNT_OPTIONS = 'volume.beta.kubernetes.io/mount-options'
/** Sources that know the annotation of old. */
const MOUNTED = [
  ...(['gcePersistentDisk', 'awsElasticBlockStore', 'glusterfs', 'nfs', 'rbd', 'quobyte', 'iscsi', 'cinder'] as const),
  ...(['cephfs', 'azureFile', 'vsphereVolume', 'azureDisk', 'photonPersistentDisk'] as const),
]

function checkMountOptions({ metadata, spec }: PersistentVolume, errors: Errors): void {
  if (metadata?.annotations?.[MOUNT_OPTIONS] === undefined || MOUNTED.some(field => spec?.[field])) return
  const what = 'may not specify mount options for this volume type'
  errors.push(forbidden(`metadata.annotations.${MOUNT_OPTIONS}`, what))
}

export const persistentVolumeRules: readonly Rule<PersistentVolume>[] = [
  onObject(
    check<PersistentVolume>((volume, errors, old) => {
      const { metadata, spec = {} } = volume
      checkVolumeSpec(spec, 'spec', metadata?.name ?? '', errors)
      checkMountOptions(volume, errors)
      if (old) checkChange(spec, old.spec ?? {}, errors)
    }),
  ),
]
