/** Rules of Node (k8s.io/kubernetes `pkg/apis/core/validation`: ValidateNode, ValidateNodeUpdate). */
import type { Node } from '../../generated/types/core-v1.ts'
import { duplicate, forbidden, internal, invalid } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { blockFamily, checkCidr, checkFamilies } from '../ip.ts'
import type { Errors } from '../rules.ts'
import { check, checkPositive, onObject } from '../rules.ts'
import { checkAmount } from './resources.validate.ts'
import { checkTaints } from './scheduling.validate.ts'

const onceSet = (what: string) => `node updates may not change ${what} except from "" to valid`

function checkResources({ status }: Node, errors: Errors): void {
  for (const field of ['capacity', 'allocatable'] as const) {
    for (const [name, amount] of Object.entries(status?.[field] ?? {})) {
      checkAmount(name, amount, `status.${field}.${name}`, errors)
    }
  }
}

const FEATURE = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/
const MAX_FEATURE = 253

function featureProblem(name: string): string | undefined {
  if (name.length > MAX_FEATURE) return `must be no more than ${MAX_FEATURE} characters`
  if (FEATURE.test(name)) return undefined
  return "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
}

function checkFeatures({ status }: Node, errors: Errors): void {
  const features = status?.declaredFeatures ?? []
  for (const [index, name] of features.entries()) {
    const path = `status.declaredFeatures[${index}]`
    const problem = featureProblem(name)
    if (problem) errors.push(invalid(path, name, `invalid feature name ${JSON.stringify(name)}: ${problem}`))
    const before = features[index - 1]
    if (before === name) errors.push(duplicate(path, name))
    else if (before !== undefined && before > name) {
      errors.push(invalid(path, name, 'list must be sorted alphabetically'))
    }
  }
}

function checkAddresses({ status }: Node, errors: Errors): void {
  const seen = new Set<string>()
  for (const [index, address] of (status?.addresses ?? []).entries()) {
    const key = `${address.type}/${address.address}`
    if (seen.has(key)) errors.push(duplicate(`status.addresses[${index}]`, address))
    seen.add(key)
  }
}

function checkPodCidrs({ spec }: Node, errors: Errors): void {
  const path = 'spec.podCIDRs'
  const cidrs = spec?.podCIDRs ?? []
  for (const [index, cidr] of cidrs.entries()) checkCidr(cidr, `${path}[${index}]`, errors)
  const bad = cidrs.length > 1 ? cidrs.findIndex(cidr => !blockFamily(cidr)) : -1
  if (bad >= 0) {
    const why = `invalid CIDR[${bad}]: <nil> (invalid CIDR address: ${cidrs[bad]})`
    errors.push(internal(path, `invalid PodCIDRs. failed to check with dual stack with error:${why}`))
    errors.push(invalid(path, cidrs, 'may specify no more than one CIDR for each IP family'))
  } else checkFamilies(cidrs, path, errors)
}

function checkOnceSet(next: Node, old: Node, errors: Errors): void {
  const [before = [], after = []] = [old.spec?.podCIDRs, next.spec?.podCIDRs]
  if (before.length && (before.length !== after.length || before.some((cidr, index) => cidr !== after[index]))) {
    errors.push(forbidden('spec.podCIDRs', onceSet('podCIDR')))
  }
  if (old.spec?.providerID && old.spec.providerID !== next.spec?.providerID) {
    errors.push(forbidden('spec.providerID', onceSet('providerID')))
  }
  if ((old.spec?.externalID ?? '') !== (next.spec?.externalID ?? '')) {
    errors.push(forbidden('spec.externalID', 'may not be updated'))
  }
}

export const nodeRules: readonly Rule<Node>[] = [
  check((next, errors, old) => {
    checkTaints(next.spec?.taints, 'metadata.taints', errors)
    checkResources(next, errors)
    checkFeatures(next, errors)
    if (!old) return
    checkAddresses(next, errors)
    checkOnceSet(next, old, errors)
  }),
  onObject(
    check((next, errors) => {
      checkPodCidrs(next, errors)
      const swap = next.status?.nodeInfo?.swap?.capacity
      if (swap !== undefined) checkPositive(swap, 'metadata.nodeSwapStatus.capacity', errors)
    }),
  ),
]
