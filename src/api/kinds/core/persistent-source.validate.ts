/** Where the data of a PersistentVolume is (k8s.io/kubernetes `pkg/apis/core/validation`). */
import type {
  AzureDiskVolumeSource,
  CSIPersistentVolumeSource,
  FCVolumeSource,
  FlockerVolumeSource,
  GlusterfsPersistentVolumeSource,
  HostPathVolumeSource,
  NFSVolumeSource,
  PersistentVolumeSpec,
  QuobyteVolumeSource,
  StorageOSPersistentVolumeSource,
} from '../../generated/types/core-v1.ts'
import { forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts'
import { checkLabelName, checkSupported, type Errors } from '../rules.ts'
import { checkIscsi, checkLun } from './iscsi.validate.ts'
import { checkNoBacksteps } from './paths.validate.ts'
import { checkDriverName, checkSecretPresent, checkSecretReference } from './secret-reference.validate.ts'

/** Asks a source; `volume` is the name of the volume. */
export type Check<T> = (source: T, path: string, errors: Errors, volume: string) => void

const filled = (value: unknown) => value !== undefined && value !== '' && !(Array.isArray(value) && !value.length)

/** The fields must be there, in the order of the messages. */
export const needs =
  (...fields: string[]): Check<unknown> =>
  (source, path, errors) => {
    for (const field of fields)
      if (!filled((source as Record<string, unknown>)[field])) errors.push(required(`${path}.${field}`))
  }

const all =
  <T>(...checks: Check<NoInfer<T>>[]): Check<T> =>
  (...args) => {
    for (const check of checks) check(...args)
  }

const PARTITION_MAX = 255
export const checkPartition: Check<{ partition?: number }> = ({ partition = 0 }, path, errors) => {
  if (partition < 0 || partition > PARTITION_MAX) {
    errors.push(invalid(`${path}.partition`, partition, `must be between 1 and ${PARTITION_MAX}, inclusive`))
  }
}

/** What a path of the node may be. */
const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]

export const checkHostPath: Check<HostPathVolumeSource> = ({ path: place, type }, path, errors) => {
  if (!place) return void errors.push(required(`${path}.path`))
  checkNoBacksteps(place, `${path}.path`, errors)
  checkSupported(type, HOST_PATH_TYPES, `${path}.type`, errors)
}

export const checkNfs: Check<NFSVolumeSource> = ({ path: place = '' }, path, errors) => {
  if (!place.startsWith('/')) errors.push(invalid(`${path}.path`, place, 'must be an absolute path'))
}

const checkGlusterfs: Check<GlusterfsPersistentVolumeSource> = ({ endpointsNamespace }, path, errors) => {
  const at = `${path}.endpointsNamespace`
  if (endpointsNamespace === '') {
    errors.push(invalid(at, '', 'if the endpointnamespace is set, it must be a valid namespace name'))
  } else if (endpointsNamespace !== undefined) checkLabelName(endpointsNamespace, at, errors)
}

export const checkFlocker: Check<FlockerVolumeSource> = ({ datasetName, datasetUUID }, path, errors) => {
  if (!datasetName && !datasetUUID) errors.push(required(path, 'one of datasetName and datasetUUID is required'))
  if (datasetName && datasetUUID) {
    errors.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'))
  }
  if (datasetName?.includes('/')) errors.push(invalid(`${path}.datasetName`, datasetName, "must not contain '/'"))
}

const HOST_PORT = /^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/
const TENANT_MAX = 64

export const checkQuobyte: Check<QuobyteVolumeSource> = ({ registry, tenant = '', volume }, path, errors) => {
  const pairs = 'must be a host:port pair or multiple pairs separated by commas'
  if (!registry) errors.push(required(`${path}.registry`, pairs))
  else if (tenant.length > TENANT_MAX) {
    const what = `must be a UUID and may not exceed a length of ${TENANT_MAX} characters`
    errors.push(required(`${path}.tenant`, what))
  } else {
    for (const pair of registry.split(',')) {
      if (!HOST_PORT.test(pair)) errors.push(invalid(`${path}.registry`, registry, pairs))
    }
  }
  if (!volume) errors.push(required(`${path}.volume`))
}

export const checkFc: Check<FCVolumeSource> = ({ targetWWNs = [], wwids = [], lun }, path, errors) => {
  const at = `${path}.targetWWNs`
  if (!targetWWNs.length && !wwids.length) {
    errors.push(required(at, 'must specify either targetWWNs or wwids, but not both'))
  }
  if (!targetWWNs.length) return
  if (wwids.length) errors.push(invalid(at, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'))
  if (lun === undefined) errors.push(required(`${path}.lun`, 'lun is required if targetWWNs is specified'))
  else checkLun(lun, `${path}.lun`, errors)
}

const RESERVED = /(^|\.)(kubernetes|k8s)\.io$/i

export const checkFlex: Check<{ options?: Record<string, string> }> = ({ options = {} }, path, errors) => {
  for (const key of Object.keys(options)) {
    if (!RESERVED.test(key.split('/', 1)[0]!)) continue
    errors.push(invalid(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'))
  }
}

const CACHING = ['None', 'ReadOnly', 'ReadWrite']
const DISKS = ['Dedicated', 'Managed', 'Shared']
const MANAGED_URI = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
const BLOB_URI = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'

export const checkAzureDisk: Check<AzureDiskVolumeSource> = ({ diskURI = '', cachingMode, kind }, path, errors) => {
  checkSupported(cachingMode, CACHING, `${path}.cachingMode`, errors)
  if (kind === undefined) return
  checkSupported(kind, DISKS, `${path}.kind`, errors)
  const [prefix, form] = kind === 'Managed' ? ['/subscriptions/', MANAGED_URI] : ['https://', BLOB_URI]
  if (!diskURI.startsWith(prefix)) errors.push(notSupported(`${path}.diskURI`, diskURI, [form]))
}

const checkStorageOs: Check<StorageOSPersistentVolumeSource> = (source, path, errors) => {
  const { volumeName, volumeNamespace, secretRef } = source
  if (volumeName) checkLabelName(volumeName, `${path}.volumeName`, errors)
  else errors.push(required(`${path}.volumeName`))
  if (volumeNamespace) checkLabelName(volumeNamespace, `${path}.volumeNamespace`, errors)
  checkSecretPresent(secretRef, `${path}.secretRef`, errors)
}

const checkCsi: Check<CSIPersistentVolumeSource> = (source, path, errors) => {
  checkDriverName(source.driver, `${path}.driver`, errors)
  if (!source.volumeHandle) errors.push(required(`${path}.volumeHandle`))
  const secrets = [
    'controllerPublishSecretRef',
    'controllerExpandSecretRef',
    'nodePublishSecretRef',
    'nodeExpandSecretRef',
  ] as const
  for (const secret of secrets) checkSecretReference(source[secret], `${path}.${secret}`, errors)
}

/** Every type, in the order of the messages. */
const SOURCES: { readonly [F in keyof PersistentVolumeSpec]?: Check<NonNullable<PersistentVolumeSpec[F]>> } = {
  hostPath: checkHostPath,
  gcePersistentDisk: all(needs('pdName'), checkPartition),
  awsElasticBlockStore: all(needs('volumeID'), checkPartition),
  glusterfs: all(needs('endpoints', 'path'), checkGlusterfs),
  flocker: checkFlocker,
  nfs: all(needs('server', 'path'), checkNfs),
  rbd: needs('monitors', 'image'),
  quobyte: checkQuobyte,
  cephfs: needs('monitors'),
  iscsi: (source, path, errors, volume) => checkIscsi(source, path, volume, errors),
  cinder: all(needs('volumeID'), ({ secretRef }, path, errors) =>
    checkSecretPresent(secretRef, `${path}.secretRef`, errors),
  ),
  fc: checkFc,
  flexVolume: all(needs('driver'), checkFlex),
  azureFile: all(needs('secretName', 'shareName'), ({ secretNamespace }, path, errors) => {
    if (secretNamespace === '') errors.push(required(`${path}.secretNamespace`))
  }),
  vsphereVolume: needs('volumePath'),
  photonPersistentDisk: needs('pdID'),
  portworxVolume: needs('volumeID'),
  azureDisk: all(needs('diskName', 'diskURI'), checkAzureDisk),
  scaleIO: needs('gateway', 'system', 'volumeName'),
  local: (source, path, errors) => {
    if (source.path) checkNoBacksteps(source.path, `${path}.path`, errors)
    else errors.push(required(`${path}.path`))
  },
  storageos: checkStorageOs,
  csi: checkCsi,
}

/** The fields of a spec that say where the data is. */
export const SOURCE_FIELDS = Object.keys(SOURCES) as (keyof typeof SOURCES)[]

/** Names that messages have for fields. */
const WITHIN: Readonly<Record<string, string>> = { gcePersistentDisk: 'persistentDisk' }
const SURPLUS: Readonly<Record<string, string>> = { cephfs: 'cephFS' }

/** Exactly one source, and a good one. `volume` is the volume's name, empty inside another object. */
export function checkPersistentSource(spec: PersistentVolumeSpec, path: string, volume: string, errors: Errors): void {
  let found = false
  for (const field of SOURCE_FIELDS) {
    const source = spec[field]
    if (source === undefined || source === null) continue
    // A second one of this type is let through, as upstream does.
    if (found && field !== 'flexVolume') {
      errors.push(forbidden(`${path}.${SURPLUS[field] ?? field}`, 'may not specify more than 1 volume type'))
      continue
    }
    found = true
    const check = SOURCES[field] as Check<unknown>
    check(source, `${path}.${WITHIN[field] ?? field}`, errors, volume)
    if (field === 'local' && !spec.nodeAffinity) {
      errors.push(required(`${path}.nodeAffinity`, 'Local volume requires node affinity'))
    }
  }
  if (!found) errors.push(required(path, 'must specify a volume type'))
}
