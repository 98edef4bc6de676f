/** Rules of APIService (k8s.io/kube-aggregator `pkg/apis/apiregistration/validation`). */
import type { APIService } from '../../generated/types/apiregistration-v1.ts'
import { invalid, notSupported, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isDns1035Label, isDns1123Subdomain, isPathSegment, isPortNumber } from '../../machinery/names.ts'
import type { Errors } from '../rules.ts'

const MAX_GROUP_PRIORITY = 20_000
const MAX_VERSION_PRIORITY = 1000
const STATUSES = ['False', 'True', 'Unknown']

function checkName({ metadata, spec }: APIService, errors: Errors): void {
  const { name = '' } = metadata ?? {}
  const wanted = `${spec?.version ?? ''}.${spec?.group ?? ''}`
  // What is no name at all is said of every object.
  if (!name || name === wanted || isPathSegment(name).length) return
  const detail = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`
  errors.push(invalid('metadata.name', name, detail))
}

function checkGroupVersion({ spec }: APIService, errors: Errors): void {
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = spec ?? {}
  if (!group && version !== 'v1')
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
  if (group) for (const wrong of isDns1123Subdomain(group)) errors.push(invalid('spec.group', group, wrong))
  for (const wrong of isDns1035Label(version)) errors.push(invalid('spec.version', version, wrong))
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > MAX_GROUP_PRIORITY)
    errors.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'))
  if (versionPriority <= 0 || versionPriority > MAX_VERSION_PRIORITY)
    errors.push(invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'))
}

/** Bytes of what is written in base64. */
const bytesIn = (base64: string) => Math.floor((base64.replace(/=+$/, '').length * 3) / 4)

function checkService({ spec }: APIService, errors: Errors): void {
  const { service, caBundle = '', insecureSkipTLSVerify } = spec ?? {}
  if (!service) {
    if (caBundle)
      errors.push(invalid('spec.caBundle', `${bytesIn(caBundle)} bytes`, 'local APIServices may not have a caBundle'))
    if (insecureSkipTLSVerify)
      errors.push(invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'))
    return
  }
  if (!service.namespace) errors.push(required('spec.service.namespace'))
  if (!service.name) errors.push(required('spec.service.name'))
  const wrong = isPortNumber(service.port ?? 0)
  if (wrong.length)
    errors.push(invalid('spec.service.port', service.port ?? 0, `port is not valid: ${wrong.join(', ')}`))
  if (insecureSkipTLSVerify && caBundle)
    errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
}

function checkStatus({ status }: APIService, errors: Errors): void {
  for (const [i, condition] of (status?.conditions ?? []).entries())
    if (!STATUSES.includes(condition.status))
      errors.push(notSupported(`status.conditions[${i}].status`, condition.status, STATUSES))
}

export const apiServiceRules: readonly Rule<APIService>[] = [
  (next, _old, { subresource }) => {
    const errors: Errors = []
    if (subresource === 'status') checkStatus(next, errors)
    else {
      checkName(next, errors)
      checkGroupVersion(next, errors)
      checkService(next, errors)
    }
    return errors
  },
]
