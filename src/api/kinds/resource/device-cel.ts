/**
 * The expressions that select devices (KEP-4381): `device` with its driver, attributes and capacities, each by domain
 * and name. Compiled once per text; a rule that is looked at again costs nothing.
 */
import { compile, extend, isProgram } from '../../machinery/cel/environment.ts'
import { estimateCost } from '../../machinery/cel/estimate/estimate.ts'
import { KUBERNETES } from '../../machinery/cel/kubernetes.ts'
import { QUANTITY } from '../../machinery/cel/library/quantities.ts'
import { BOOL, type CelType, DYN, formatType, mapOf, objectType, STRING } from '../../machinery/cel/types.ts'

const COST_LIMIT = 1_000_000
const REMEMBERED = 256

const sized = (type: CelType, max: number): CelType => ({ ...type, bounds: { max } })
/** An attribute is a bool, int, string or version; as text at most this long. */
const ANY = sized({ ...DYN, kind: 'any', name: 'any' }, 64)
const byName = (value: CelType) => sized(mapOf(sized(STRING, 32), value), 32)
const byDomain = (value: CelType) => sized(mapOf(sized(STRING, 63), byName(value)), 32)

const FIELDS: Readonly<Record<string, CelType>> = {
  driver: sized(STRING, 63),
  allowMultipleAllocations: sized(BOOL, 1),
  attributes: byDomain(ANY),
  capacity: byDomain(QUANTITY),
}
const DEVICE = objectType('kubernetes.DRADevice', field => FIELDS[field])

export interface DeviceSelection {
  /** Why it does not compile. */
  readonly problem?: string
  /** It could cost more than a scheduler may spend on it. */
  readonly tooComplex?: boolean
}

function judge(expression: string): DeviceSelection {
  const program = compile(expression, extend(KUBERNETES, { device: DEVICE }, [[DEVICE.name, DEVICE]]))
  if (!isProgram(program)) return { problem: program.message }
  if (program.type.kind !== 'bool' && program.type.kind !== 'any') {
    return { problem: `must evaluate to bool or the unknown type, not ${formatType(program.type)}` }
  }
  return { tooComplex: estimateCost(program.expr, DEVICE).max > COST_LIMIT }
}

const known = new Map<string, DeviceSelection>()

/** What is wrong with a selector's expression, if anything. */
export function compileDeviceSelector(expression: string): DeviceSelection {
  let selection = known.get(expression)
  if (!selection) {
    selection = judge(expression)
    if (known.size >= REMEMBERED) known.clear()
    known.set(expression, selection)
  }
  return selection
}
