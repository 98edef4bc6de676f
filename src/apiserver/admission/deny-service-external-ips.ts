import type { Service } from '../../api/generated/types/core-v1.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { refuse } from './refusal.ts'

/** DenyServiceExternalIPs: no service takes an external address that it does not have already (CVE-2020-8554). */
export const denyServiceExternalIps: AdmissionPlugin = {
  name: 'DenyServiceExternalIPs',
  handles: ({ kind, subresource, operation }) =>
    kind.key === 'v1/services' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
  validate(request) {
    const [next, old] = [request.object as Service, request.old as Service | undefined]
    const known = old?.spec?.externalIPs ?? []
    if (next.spec?.externalIPs?.some(each => !known.includes(each)))
      throw refuse(request, 'Use of external IPs is denied by admission control')
  },
}
