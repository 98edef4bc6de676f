/** Rules of IPAddresses. */
import type { IPAddress, ParentReference } from '../../generated/types/networking-v1.ts'
import { required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isPathSegment } from '../../machinery/names.ts'
import { checkIp } from '../ip.ts'
import { check, checkFormat, checkSubdomain, type Errors, immutable, when } from '../rules.ts'
import { checkSegment } from './reference.validate.ts'

function checkParent({ group, resource, name, namespace }: ParentReference, path: string, errors: Errors): void {
  if (group) checkSubdomain(group, `${path}.group`, errors)
  checkSegment(resource, `${path}.resource`, errors)
  checkSegment(name, `${path}.name`, errors)
  if (namespace) checkFormat(isPathSegment(namespace), namespace, `${path}.namespace`, errors)
}

export const ipAddressRules: readonly Rule<IPAddress>[] = [
  when<IPAddress>(
    (_next, old) => old === undefined,
    check(({ metadata, spec }, errors) => {
      const canonical = true
      if (metadata?.generateName) checkIp(metadata.generateName, 'metadata.generateName', errors, { canonical })
      if (metadata?.name) checkIp(metadata.name, 'metadata.name', errors, { canonical })
      if (spec?.parentRef) checkParent(spec.parentRef, 'spec.parentRef', errors)
    }),
  ),
  check<IPAddress>(({ spec }, errors, old) => {
    if (!spec?.parentRef) errors.push(required('spec.parentRef'))
    else if (old) {
      for (const field of ['resource', 'name'] as const) {
        if (!spec.parentRef[field]) errors.push(required(`spec.parentRef.${field}`))
      }
    }
  }),
  immutable('spec.parentRef'),
]
