/** Rules of VolumeAttributesClasses (k8s.io/kubernetes `pkg/apis/storage/validation`). */
import type { VolumeAttributesClass } from '../../generated/types/storage-v1.ts'
import { forbidden, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { check, sameValue } from '../rules.ts'
import { checkParameters, checkProvisioner } from './parameters.validate.ts'

export const volumeAttributesClassRules: readonly Rule<VolumeAttributesClass>[] = [
  check<VolumeAttributesClass>(({ driverName, parameters }, errors, old) => {
    for (const field of ['driverName', 'parameters'] as const) {
      if (!old || sameValue({ driverName, parameters }[field], old[field])) continue
      errors.push(forbidden(field, `updates to ${field} are forbidden.`))
    }
    checkProvisioner(driverName, 'driverName', errors)
    checkParameters(parameters, 'parameters', errors)
    if (!Object.keys(parameters ?? {}).length) {
      errors.push(required('parameters', 'must contain at least one key/value pair'))
    }
  }),
]
