/** Rules of Node (k8s.io/kubernetes `pkg/apis/core/validation`: ValidateNode, ValidateNodeUpdate). */
import type { Node } from '../../generated/types/core-v1.ts'
import { duplicate, forbidden } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { checkCidr, checkFamilies } from '../ip.ts'
import type { Errors } from '../rules.ts'
import { check, sameValue } from '../rules.ts'
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

function checkUpdate(next: Node, old: Node, errors: Errors): void {
  if (old.spec?.podCIDRs?.length && !sameValue(old.spec.podCIDRs, next.spec?.podCIDRs)) {
    errors.push(forbidden('spec.podCIDRs', onceSet('podCIDR')))
  }
  if (old.spec?.providerID && old.spec.providerID !== next.spec?.providerID) {
    errors.push(forbidden('spec.providerID', onceSet('providerID')))
  }
  const seen = new Set<string>()
  for (const [index, address] of (next.status?.addresses ?? []).entries()) {
    const key = `${address.type}/${address.address}`
    if (seen.has(key)) errors.push(duplicate(`status.addresses[${index}]`, address))
    seen.add(key)
  }
}

export const nodeRules: readonly Rule<Node>[] = [
  check((next, errors, old) => {
    checkTaints(next.spec?.taints, 'metadata.taints', errors)
    checkResources(next, errors)
    if (old) return checkUpdate(next, old, errors)
    const cidrs = next.spec?.podCIDRs ?? []
    for (const [index, cidr] of cidrs.entries()) checkCidr(cidr, `spec.podCIDRs[${index}]`, errors)
    checkFamilies(cidrs, 'spec.podCIDRs', errors)
  }),
]
