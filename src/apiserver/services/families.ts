/**
 * Which families of addresses a Service is to have, before it is given any (k8s.io/kubernetes
 * `pkg/registry/core/service/storage/alloc.go`). Ours come from one family, IPv4.
 */
import type { Service as ApiService } from '../../api/kinds/core/service.ts'
import { clusterIpProblems } from '../../api/kinds/core/service.validate.ts'
import { ipFamily } from '../../api/kinds/ip.ts'
import { type FieldError, invalid as invalidField } from '../../api/machinery/field-error.ts'
import { invalid } from '../../api/machinery/status-error.ts'
import { HEADLESS, isExternal, type Service, type ServiceSpec } from './service-shape.ts'

const OWN_FAMILY = 'IPv4'
const POLICY = 'spec.ipFamilyPolicy'

function refuse(service: Service, errors: readonly FieldError[]) {
  if (errors.length) throw invalid({ group: '', kind: 'Service' }, service.metadata?.name ?? '', errors)
}

/** Whoever fills the endpoints of a headless service without selector decides on the families. */
const isOpen = (spec: ServiceSpec) => spec.clusterIP === HEADLESS && Object.keys(spec.selector ?? {}).length === 0

/** One family has room for one address. */
function checkSingle(spec: ServiceSpec): FieldError[] {
  if (spec.ipFamilyPolicy !== 'SingleStack') return []
  const wanted = (what: string) => `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`
  return [
    ...(spec.clusterIPs?.length === 2 ? [invalidField(POLICY, spec.ipFamilyPolicy, wanted('cluster IPs'))] : []),
    ...(spec.ipFamilies?.length === 2 ? [invalidField(POLICY, spec.ipFamilyPolicy, wanted('IP families'))] : []),
  ]
}

/** Families that were not said follow from the addresses that were. */
function inferFamilies(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  const { clusterIPs = [] } = spec
  for (const [index, ip] of clusterIPs.entries()) {
    if (ip === HEADLESS || index < (spec.ipFamilies?.length ?? 0)) continue
    const family = `IPv${ipFamily(ip)}`
    if (family === OWN_FAMILY) spec.ipFamilies = [...(spec.ipFamilies ?? []), family]
    else
      errors.push(invalidField(`spec.clusterIPs[${index}]`, clusterIPs, `${family} is not configured on this cluster`))
  }
  return errors
}

function checkConfigured(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    const why = 'this cluster is not configured for dual-stack services'
    errors.push(invalidField(POLICY, spec.ipFamilyPolicy, why))
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (family === OWN_FAMILY) continue
    errors.push(invalidField(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'))
  }
  return errors
}

/** Fills in policy, families and the list of addresses, in place. Throws StatusError Invalid for what cannot be had. */
export function settleFamilies(service: Service): void {
  const { spec } = service
  if (isExternal(spec)) return
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
  const open = isOpen(spec)
  spec.ipFamilyPolicy ??= open ? 'RequireDualStack' : 'SingleStack'
  // Addresses that are none, or do not agree, are no ground to go on from.
  refuse(service, clusterIpProblems(spec as ApiService['spec'] & object))
  refuse(service, [...checkSingle(spec), ...inferFamilies(spec)])
  if (!open) refuse(service, checkConfigured(spec))
  if (!spec.ipFamilies?.length) spec.ipFamilies = [OWN_FAMILY]
  if (open && spec.ipFamilyPolicy !== 'SingleStack' && spec.ipFamilies.length === 1) {
    spec.ipFamilies = [...spec.ipFamilies, spec.ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4']
  }
}
