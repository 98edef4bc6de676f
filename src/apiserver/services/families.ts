/**
 * Which families of addresses a Service is to have, before it is given any (KEP-563; k8s.io/kubernetes
 * `pkg/registry/core/service/storage/alloc.go`).
 */
import type { ServiceSpec as ApiSpec } from '../../api/generated/types/core-v1.ts'
import { clusterIpProblems } from '../../api/kinds/core/service.validate.ts'
import { ipFamily } from '../../api/kinds/ip.ts'
import { type FieldError, invalid as invalidField } from '../../api/machinery/field-error.ts'
import { invalid } from '../../api/machinery/status-error.ts'
import type { Family } from '../../lib/ip-range.ts'
import { equalJson } from '../../lib/json.ts'
import { HEADLESS, isExternal, type Service, type ServiceSpec } from './service-shape.ts'

const POLICY = 'spec.ipFamilyPolicy'

function refuse(service: Service, errors: readonly FieldError[]) {
  if (errors.length) throw invalid({ group: '', kind: 'Service' }, service.metadata?.name ?? '', errors)
}

const other = (family: string | undefined): Family => (family === 'IPv4' ? 'IPv6' : 'IPv4')

/** Whoever fills the endpoints of a headless service without selector decides on the families. */
const isOpen = (spec: ServiceSpec) => spec.clusterIP === HEADLESS && Object.keys(spec.selector ?? {}).length === 0

const same = (a: readonly string[] = [], b: readonly string[] = []) => equalJson(a, b)
const isPreferred = (spec: ServiceSpec) => spec.ipFamilyPolicy === 'PreferDualStack'

/** A service that would like two families keeps what it has, whatever the cluster has come to have since. */
const isSettled = (spec: ServiceSpec, old: ServiceSpec) =>
  spec.type === old.type &&
  isPreferred(spec) &&
  isPreferred(old) &&
  same(spec.clusterIPs, old.clusterIPs) &&
  same(spec.ipFamilies, old.ipFamilies)

/** Giving up the second family takes the policy; the policy alone is enough. */
function giveUp(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  for (const [field, what] of [
    ['clusterIPs', 'cluster IP'],
    ['ipFamilies', 'IP family'],
  ] as const) {
    const [now = [], before = []] = [spec[field], old[field]]
    if (spec.ipFamilyPolicy === 'SingleStack') {
      if (now.length > 1 && same(now, before)) spec[field] = now.slice(0, 1)
    } else if (now.length && now.length < before.length) {
      const wanted = `must be 'SingleStack' to release the secondary ${what}`
      errors.push(invalidField(POLICY, spec.ipFamilyPolicy, wanted))
    }
  }
  return errors
}

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
function inferFamilies(spec: ServiceSpec, configured: readonly Family[]): FieldError[] {
  const errors: FieldError[] = []
  const { clusterIPs = [] } = spec
  for (const [index, ip] of clusterIPs.entries()) {
    if (ip === HEADLESS || index < (spec.ipFamilies?.length ?? 0)) continue
    const family = `IPv${ipFamily(ip)}` as Family
    if (configured.includes(family)) spec.ipFamilies = [...(spec.ipFamilies ?? []), family]
    else
      errors.push(invalidField(`spec.clusterIPs[${index}]`, clusterIPs, `${family} is not configured on this cluster`))
  }
  return errors
}

function checkConfigured(spec: ServiceSpec, configured: readonly Family[]): FieldError[] {
  const errors: FieldError[] = []
  if (spec.ipFamilyPolicy === 'RequireDualStack' && configured.length < 2) {
    const why = 'this cluster is not configured for dual-stack services'
    errors.push(invalidField(POLICY, spec.ipFamilyPolicy, why))
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (configured.includes(family as Family)) continue
    errors.push(invalidField(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'))
  }
  return errors
}

/**
 * Fills in policy, families and the list of addresses, in place. `families` are those of the cluster, the first
 * one first; `old` is what stood before an update. Throws StatusError Invalid for what cannot be had.
 */
export function settleFamilies(service: Service, families: readonly Family[], old?: Service): void {
  const { spec } = service
  if (isExternal(spec)) return
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
  if (old && isSettled(spec, old.spec)) return
  const open = isOpen(spec)
  spec.ipFamilyPolicy ??= old?.spec.ipFamilyPolicy ?? (open ? 'RequireDualStack' : 'SingleStack')
  // Addresses that are none, or do not agree, are no ground to go on from.
  refuse(service, clusterIpProblems(spec as ApiSpec, old?.spec as ApiSpec | undefined))
  const released = old ? giveUp(spec, old.spec) : []
  refuse(service, [...released, ...checkSingle(spec), ...inferFamilies(spec, families)])
  if (!open) refuse(service, checkConfigured(spec, families))
  if (!spec.ipFamilies?.length) spec.ipFamilies = [families[0]!]
  const two = open || families.length === 2
  if (two && spec.ipFamilyPolicy !== 'SingleStack' && spec.ipFamilies.length === 1) {
    spec.ipFamilies = [...spec.ipFamilies, other(spec.ipFamilies[0])]
  }
}
