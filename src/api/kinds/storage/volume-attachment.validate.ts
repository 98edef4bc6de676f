/** Rules of VolumeAttachments (k8s.io/kubernetes `pkg/apis/storage/validation`). */
import type { VolumeAttachment, VolumeAttachmentSource, VolumeError } from '../../generated/types/storage-v1.ts'
import { forbidden, invalid, required, tooLong } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { checkInlineVolumeSpec } from '../core/persistent-volume.validate.ts'
import { checkDriverName } from '../core/secret-reference.validate.ts'
import { check, checkSubdomain, type Errors, immutable } from '../rules.ts'
import { SIZE_MAX, sizeOf } from './parameters.validate.ts'

const MESSAGE_MAX = 1024

function checkSource(source: VolumeAttachmentSource, path: string, errors: Errors): void {
  const { inlineVolumeSpec, persistentVolumeName } = source
  const one = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  if (inlineVolumeSpec && persistentVolumeName !== undefined) errors.push(forbidden(path, one))
  else if (inlineVolumeSpec) checkInlineVolumeSpec(inlineVolumeSpec, `${path}.inlineVolumeSpec`, errors)
  else if (persistentVolumeName === undefined) errors.push(required(path, one))
  else if (persistentVolumeName === '') {
    errors.push(required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName'))
  }
}

function checkError(error: VolumeError | undefined, path: string, errors: Errors): void {
  // Upstream names the limit of the metadata here.
  if ((error?.message?.length ?? 0) > MESSAGE_MAX) errors.push(tooLong(`${path}.message`, SIZE_MAX))
  const code = error?.errorCode
  if (code !== undefined && code < 0) {
    errors.push(invalid(`${path}.errorCode`, code, `must be between 0 and ${2 ** 31 - 1}, inclusive`))
  }
}

export const volumeAttachmentRules: readonly Rule<VolumeAttachment>[] = [
  check<VolumeAttachment>(({ spec, status }, errors) => {
    checkDriverName(spec?.attacher, 'spec.attacher', errors)
    checkSource(spec?.source ?? {}, 'spec.source', errors)
    checkSubdomain(spec?.nodeName ?? '', 'spec.nodeName', errors)
    if (sizeOf(status?.attachmentMetadata ?? {}) > SIZE_MAX) {
      errors.push(tooLong('status.attachmentMetadata', SIZE_MAX))
    }
    checkError(status?.attachError, 'status.attachError', errors)
    checkError(status?.detachError, 'status.detachError', errors)
    const volume = spec?.source?.persistentVolumeName
    if (volume !== undefined) checkSubdomain(volume, 'spec.source.persistentVolumeName', errors)
  }),
  immutable('spec'),
]
