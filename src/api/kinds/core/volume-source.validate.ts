/** Sources of a pod's volumes that have more rules than what must be there (k8s.io/kubernetes `pkg/apis/core/validation`). */
import type { CSIVolumeSource, ISCSIVolumeSource, Volume } from '../../generated/types/core-v1.ts'
import { invalid, required } from '../../machinery/field-error.ts'
import { checkLabelName, checkSubdomain, checkSupported, type Errors } from '../rules.ts'
import { PULL_POLICIES } from './container.validate.ts'
import { checkChap, checkInitiator, checkLun, nameProblem } from './iscsi.validate.ts'
import {
  type Check,
  checkAzureDisk,
  checkFc,
  checkFlex,
  checkFlocker,
  checkHostPath,
  checkNfs,
  checkPartition,
  checkQuobyte,
} from './persistent-source.validate.ts'
import { checkClaimSpec } from './persistent-volume-claim.validate.ts'
import { checkDriverName } from './secret-reference.validate.ts'
import { checkTemplateMeta } from './template-meta.validate.ts'

const checkIscsi: Check<ISCSIVolumeSource> = (source, path, errors, volume) => {
  const { iqn, lun = 0, initiatorName } = source
  const what = nameProblem(source, volume)
  if (what) errors.push(invalid(path.replace(/iscsi$/, 'name'), volume, what))
  if (iqn) checkInitiator(iqn, `${path}.iqn`, errors)
  checkLun(lun, `${path}.lun`, errors)
  checkChap(source, path, errors)
  if (initiatorName !== undefined) checkInitiator(initiatorName, `${path}.initiatorname`, errors)
}

const checkSecretName: Check<{ secretRef?: { name?: string } }> = ({ secretRef }, path, errors) => {
  if (secretRef && !secretRef.name) errors.push(required(`${path}.secretRef.name`))
}

const checkCsi: Check<CSIVolumeSource> = ({ driver, nodePublishSecretRef: secret }, path, errors) => {
  if (driver) checkDriverName(driver, `${path}.driver`, errors)
  if (!secret) return
  if (secret.name) checkSubdomain(secret.name, `${path}.name`, errors)
  else errors.push(required(`${path}.nodePublishSecretRef.name`))
}

const checkEphemeral: Check<NonNullable<Volume['ephemeral']>> = ({ volumeClaimTemplate: claim }, path, errors) => {
  const at = `${path}.volumeClaimTemplate`
  if (!claim) return void errors.push(required(at))
  checkTemplateMeta(claim.metadata, `${at}.metadata`, errors)
  checkClaimSpec(claim.spec ?? {}, `${at}.spec`, errors)
}

const SOURCES: { readonly [F in keyof Volume]?: Check<NonNullable<Volume[F]>> } = {
  hostPath: checkHostPath,
  nfs: checkNfs,
  gcePersistentDisk: checkPartition,
  awsElasticBlockStore: checkPartition,
  flocker: checkFlocker,
  quobyte: checkQuobyte,
  fc: checkFc,
  flexVolume: checkFlex,
  azureDisk: checkAzureDisk,
  iscsi: checkIscsi,
  cinder: checkSecretName,
  storageos(source, path, errors) {
    if (source.volumeName) checkLabelName(source.volumeName, `${path}.volumeName`, errors)
    if (source.volumeNamespace) checkLabelName(source.volumeNamespace, `${path}.volumeNamespace`, errors)
    checkSecretName(source, path, errors, '')
  },
  csi: checkCsi,
  ephemeral: checkEphemeral,
  image({ pullPolicy }, path, errors) {
    checkSupported(pullPolicy || undefined, PULL_POLICIES, `${path}.pullPolicy`, errors)
  },
}

/** What is wrong with a source beyond what is missing from it. `volume` is the name of the volume. */
export function checkVolumeSource(type: keyof Volume, volume: Volume, path: string, errors: Errors): void {
  const check = SOURCES[type] as Check<unknown> | undefined
  check?.(volume[type], path, errors, volume.name ?? '')
}
