/** Volumes (k8s.io/kubernetes `pkg/apis/core/validation`: ValidateVolumes). */
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  Volume,
  VolumeProjection,
} from '../../generated/types/core-v1.ts'
import { duplicate, forbidden, invalid, required } from '../../machinery/field-error.ts'
import { compareQuantities, quantityProblem } from '../../machinery/quantity.ts'
import type { Errors } from '../rules.ts'
import { checkLabelName } from '../rules.ts'
import { checkFileMode, checkLocalPath } from './paths.validate.ts'
import { needs } from './persistent-source.validate.ts'
import { checkFieldRef, checkResourceRef, VOLUME_FIELDS } from './references.validate.ts'
import { checkVolumeSource } from './volume-source.validate.ts'

/** The fields that a source of that type cannot be without. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  awsElasticBlockStore: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  azureFile: ['secretName', 'shareName'],
  cephfs: ['monitors'],
  cinder: ['volumeID'],
  configMap: ['name'],
  csi: ['driver'],
  flexVolume: ['driver'],
  gcePersistentDisk: ['pdName'],
  gitRepo: ['repository'],
  glusterfs: ['endpoints', 'path'],
  iscsi: ['targetPortal', 'iqn'],
  nfs: ['server', 'path'],
  persistentVolumeClaim: ['claimName'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  rbd: ['monitors', 'image'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  secret: ['secretName'],
  storageos: ['volumeName'],
  vsphereVolume: ['volumePath'],
}

function checkItems(items: readonly KeyToPath[] | undefined, path: string, errors: Errors): void {
  for (const [index, item] of (items ?? []).entries()) {
    const at = `${path}[${index}]`
    if (!item.key) errors.push(required(`${at}.key`))
    if (!item.path) errors.push(required(`${at}.path`))
    checkLocalPath(item.path ?? '', `${at}.path`, errors)
    checkFileMode(item.mode, `${at}.mode`, errors)
  }
}

function checkDownwardFile(file: DownwardAPIVolumeFile, path: string, errors: Errors): void {
  if (!file.path) errors.push(required(`${path}.path`))
  checkLocalPath(file.path ?? '', `${path}.path`, errors)
  if (file.fieldRef) {
    checkFieldRef(file.fieldRef, VOLUME_FIELDS, `${path}.fieldRef`, errors)
    if (file.resourceFieldRef) {
      errors.push(invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
    }
  } else if (file.resourceFieldRef) checkResourceRef(file.resourceFieldRef, true, `${path}.resourceFieldRef`, errors)
  else errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
  checkFileMode(file.mode, `${path}.mode`, errors)
}

function checkToken(
  token: NonNullable<VolumeProjection['serviceAccountToken']>,
  path: string,
  volume: string,
  errors: Errors,
): void {
  const seconds = token.expirationSeconds ?? 3600
  const at = `${path}.expirationSeconds`
  if (seconds < 600) errors.push(invalid(at, seconds, 'may not specify a duration less than 10 minutes'))
  if (seconds > 2 ** 32) errors.push(invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'))
  if (!token.path) errors.push(required(`${volume}.path`))
  else checkLocalPath(token.path, `${volume}.path`, errors)
}

function checkProjection(source: VolumeProjection, path: string, volume: string, errors: Errors): void {
  for (const field of ['secret', 'configMap'] as const) {
    const part = source[field]
    if (!part) continue
    if (!part.name) errors.push(required(`${path}.${field}.name`))
    checkItems(part.items, `${path}.${field}.items`, errors)
  }
  for (const file of source.downwardAPI?.items ?? []) checkDownwardFile(file, `${path}.downwardAPI`, errors)
  if (source.serviceAccountToken) {
    checkToken(source.serviceAccountToken, `${path}.serviceAccountToken`, volume, errors)
  }
  if (source.clusterTrustBundle) {
    const at = `${path}.clusterTrustBundle`
    const { name, signerName, path: file } = source.clusterTrustBundle
    if (name !== undefined && signerName !== undefined) {
      errors.push(invalid(at, source.clusterTrustBundle, 'only one of name and signerName may be used'))
    } else if (name === undefined && signerName === undefined) {
      errors.push(required(at, 'either name or signerName must be specified'))
    }
    if (!file) errors.push(required(`${at}.path`))
    else checkLocalPath(file, `${at}.path`, errors)
  }
  if (Object.values(source).filter(Boolean).length > 1) {
    errors.push(forbidden(path, 'may not specify more than 1 volume type per source'))
  }
}

/** Every file of a projected volume has a path of its own. */
function checkProjected(projected: ProjectedVolumeSource, path: string, errors: Errors): void {
  checkFileMode(projected.defaultMode, `${path}.defaultMode`, errors)
  const seen = new Set<string>()
  for (const [index, source] of (projected.sources ?? []).entries()) {
    checkProjection(source, `${path}.sources[${index}]`, path, errors)
    const { secret, configMap, downwardAPI, clusterTrustBundle } = source
    const files = [
      ...(secret?.items ?? []).map(({ path }) => [path, secret!.name] as const),
      ...(configMap?.items ?? []).map(({ path }) => [path, configMap!.name] as const),
      ...(downwardAPI?.items ?? []).map(({ path }) => [path, path] as const),
      ...(clusterTrustBundle ? [[clusterTrustBundle.path, clusterTrustBundle.path] as const] : []),
    ]
    for (const [file, value] of files) {
      if (!file) continue
      if (seen.has(file)) errors.push(invalid(path, value ?? '', 'conflicting duplicate paths'))
      seen.add(file)
    }
  }
}

/** Names that messages have for types. */
const SURPLUS: Readonly<Record<string, string>> = { downwardAPI: 'downwarAPI', cephfs: 'cephFS' }

/** The first of these that a volume has is what it is. */
const ORDER = [
  ...['emptyDir', 'hostPath', 'gitRepo', 'gcePersistentDisk', 'awsElasticBlockStore', 'secret', 'nfs', 'iscsi'],
  ...['glusterfs', 'flocker', 'persistentVolumeClaim', 'rbd', 'cinder', 'cephfs', 'quobyte', 'downwardAPI', 'fc'],
  ...['flexVolume', 'configMap', 'azureFile', 'vsphereVolume', 'photonPersistentDisk', 'portworxVolume', 'azureDisk'],
  ...['storageos', 'projected', 'scaleIO', 'csi', 'ephemeral', 'image'],
]

function checkSource(type: string, volume: Volume, path: string, errors: Errors): void {
  const at = `${path}.${type === 'gcePersistentDisk' ? 'persistentDisk' : type}`
  needs(...(REQUIRED[type] ?? []))(volume[type as keyof Volume], at, errors, '')
  checkVolumeSource(type as keyof Volume, volume, at, errors)
  const { emptyDir, secret, configMap, downwardAPI, projected, gitRepo } = volume
  switch (type) {
    case 'emptyDir':
      if (emptyDir?.sizeLimit === undefined) break
      if (quantityProblem(emptyDir.sizeLimit) !== undefined || compareQuantities(emptyDir.sizeLimit, '0') < 0) {
        errors.push(forbidden(`${at}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'))
      }
      break
    case 'secret':
    case 'configMap': {
      const part = (secret ?? configMap)!
      checkFileMode(part.defaultMode, `${at}.defaultMode`, errors)
      checkItems(part.items, `${at}.items`, errors)
      break
    }
    case 'downwardAPI':
      checkFileMode(downwardAPI?.defaultMode, `${at}.defaultMode`, errors)
      for (const file of downwardAPI?.items ?? []) checkDownwardFile(file, at, errors)
      break
    case 'projected':
      checkProjected(projected!, at, errors)
      break
    case 'gitRepo':
      checkLocalPath(gitRepo?.directory ?? '', `${at}.directory`, errors)
      break
  }
}

/** Checks them all; returns the good ones by name, which mounts may refer to. */
export function checkVolumes(
  volumes: readonly Volume[] | undefined,
  path: string,
  errors: Errors,
): Map<string, Volume> {
  const good = new Map<string, Volume>()
  for (const [index, volume] of (volumes ?? []).entries()) {
    const at = `${path}[${index}]`
    const before = errors.length
    const types = ORDER.filter(key => volume[key as keyof Volume] !== undefined)
    for (const [order, type] of types.entries()) {
      if (order === 0) checkSource(type, volume, at, errors)
      else errors.push(forbidden(`${at}.${SURPLUS[type] ?? type}`, 'may not specify more than 1 volume type'))
    }
    if (!volume.name) errors.push(required(`${at}.name`))
    else checkLabelName(volume.name, `${at}.name`, errors)
    if (good.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name))
    if (errors.length === before) good.set(volume.name, volume)
  }
  return good
}
