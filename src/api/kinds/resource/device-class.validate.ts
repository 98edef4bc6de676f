/** Rules of DeviceClasses. */
import type { DeviceClass } from '../../generated/types/resource-v1.ts'
import { invalid } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isExtendedResource } from '../core/resources.ts'
import { check } from '../rules.ts'
import { REQUESTS } from './claim-spec.validate.ts'
import { checkList } from './lists.validate.ts'
import { checkConfiguration, checkSelectors } from './selector.validate.ts'

export const deviceClassRules: readonly Rule<DeviceClass>[] = [
  check<DeviceClass>(({ spec }, errors) => {
    checkSelectors(spec?.selectors, 'spec.selectors', errors)
    checkList(spec?.config, REQUESTS, checkConfiguration, 'spec.config', errors)
    const name = spec?.extendedResourceName
    if (name !== undefined && !isExtendedResource(name)) {
      errors.push(invalid('spec.extendedResourceName', name, 'must be a valid extended resource name'))
    }
  }),
]
