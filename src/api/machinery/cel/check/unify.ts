import { type CelType, DYN, isDyn, sameType } from '../types.ts'

/** Type variables, by name, and what has been found out about them. */
export type Bindings = ReadonlyMap<string, CelType>

/** Whether a value of `from` may stand where `to` is wanted: the bindings that make it so, or undefined. */
export function assign(bindings: Bindings, to: CelType, from: CelType): Bindings | undefined {
  const trial = new Map(bindings)
  return assignable(trial, to, from) ? trial : undefined
}

/** The same for lists of arguments. */
export function assignAll(bindings: Bindings, to: readonly CelType[], from: readonly CelType[]): Bindings | undefined {
  const trial = new Map(bindings)
  return assignableAll(trial, to, from) ? trial : undefined
}

/** The type with all known variables replaced; `toDyn` makes dyn of the others. */
export function substitute(bindings: Bindings, type: CelType, toDyn: boolean): CelType {
  if (type.kind === 'param') {
    const bound = bindings.get(type.name)
    if (bound !== undefined) return substitute(bindings, bound, toDyn)
    return toDyn ? DYN : type
  }
  if (type.params.length === 0) return type
  const params = type.params.map(param => substitute(bindings, param, toDyn))
  return params.every((param, index) => param === type.params[index]) ? type : { ...type, params }
}

/** The more general of two types that fit each other. */
export const mostGeneral = (left: CelType, right: CelType): CelType => (lessSpecific(left, right) ? left : right)

function lessSpecific(left: CelType, right: CelType): boolean {
  if (isDyn(left) || left.kind === 'param') return true
  if (isDyn(right) || right.kind === 'param' || left.kind !== right.kind) return false
  if (left.kind === 'type') return true
  if (left.kind === 'opaque' && (left.name !== right.name || left.params.length !== right.params.length)) return false
  if (left.params.length > 0)
    return left.params.every((param, index) => lessSpecific(param, right.params[index] as CelType))
  return sameType(left, right)
}

const NULLABLE = new Set(['opaque', 'object', 'any', 'duration', 'timestamp', 'null'])
const NESTED = new Set(['opaque', 'list', 'map'])
const anything = (type: CelType) => isDyn(type) || type.kind === 'error'

function assignable(bindings: Map<string, CelType>, left: CelType, right: CelType): boolean {
  if (right.kind === 'param') {
    const found = bind(bindings, left, right)
    if (found.fits) return true
    if (found.bound) return false
  }
  if (left.kind === 'param') return bind(bindings, right, left).fits
  if (anything(left) || anything(right)) return true
  if (left.kind === 'null') return NULLABLE.has(right.kind)
  if (right.kind === 'null') return NULLABLE.has(left.kind)
  if (left.kind !== right.kind) return false
  if (left.kind === 'type') return true
  if (NESTED.has(left.kind)) return left.name === right.name && assignableAll(bindings, left.params, right.params)
  return sameType(left, right)
}

function assignableAll(bindings: Map<string, CelType>, left: readonly CelType[], right: readonly CelType[]): boolean {
  if (left.length !== right.length) return false
  return left.every((type, index) => assignable(bindings, type, right[index] as CelType))
}

/** Tries the type as what the variable stands for; `bound` says that the variable stood for something already. */
function bind(bindings: Map<string, CelType>, type: CelType, variable: CelType): { fits: boolean; bound: boolean } {
  if (sameType(type, variable)) return { fits: true, bound: true }
  const known = bindings.get(variable.name)
  if (known !== undefined) {
    if (sameType(type, known)) return { fits: true, bound: true }
    if (!assignable(bindings, type, known)) return { fits: false, bound: true }
    const general = mostGeneral(type, known)
    if (!occurs(bindings, variable, general)) bindings.set(variable.name, general)
    return { fits: true, bound: true }
  }
  if (occurs(bindings, variable, type)) return { fits: false, bound: false }
  bindings.set(variable.name, type)
  return { fits: true, bound: false }
}

function occurs(bindings: Bindings, variable: CelType, type: CelType): boolean {
  if (sameType(variable, type)) return true
  if (type.kind === 'param') {
    const known = bindings.get(type.name)
    return known !== undefined && occurs(bindings, variable, known)
  }
  return type.params.some(param => occurs(bindings, variable, param))
}
