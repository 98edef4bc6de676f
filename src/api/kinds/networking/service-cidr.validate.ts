/** Rules of ServiceCIDRs. */
import type { ServiceCIDR } from '../../generated/types/networking-v1.ts'
import { invalid, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { blockFamily, checkCidr } from '../ip.ts'
import { check, type Errors, IMMUTABLE, onObject } from '../rules.ts'

const PATH = 'spec.cidrs'

function checkCidrs(cidrs: readonly string[], spec: unknown, errors: Errors): void {
  if (cidrs.length === 0) return void errors.push(required(PATH, 'at least one CIDR required'))
  if (cidrs.length > 2) return void errors.push(invalid(PATH, spec, 'may only hold up to 2 values'))
  for (const [index, cidr] of cidrs.entries()) checkCidr(cidr, `${PATH}[${index}]`, errors, { canonical: true })
  const [first, second] = cidrs.map(blockFamily)
  if (first && first === second) {
    const message = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'
    errors.push(invalid(PATH, cidrs, message))
  }
}

/** Nothing changes but that a second family may come. */
function checkChange(
  said: readonly string[] | undefined,
  before: readonly string[],
  spec: unknown,
  errors: Errors,
): void {
  const cidrs = said ?? []
  const added = before.length === 1 && cidrs.length === 2
  if (!added && cidrs.length !== before.length) return void errors.push(invalid(PATH, said, IMMUTABLE))
  for (const [index, cidr] of before.entries()) {
    if (cidrs[index] !== cidr) errors.push(invalid(`${PATH}[${index}]`, cidrs[index], IMMUTABLE))
  }
  if (added) checkCidrs(cidrs, spec, errors)
}

export const serviceCidrRules: readonly Rule<ServiceCIDR>[] = [
  onObject(
    check<ServiceCIDR>(({ spec }, errors, old) => {
      if (old) checkChange(spec?.cidrs, old.spec?.cidrs ?? [], spec, errors)
      else checkCidrs(spec?.cidrs ?? [], spec, errors)
    }),
  ),
]
