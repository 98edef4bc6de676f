import { fail } from '../errors.ts'
import { CelList, CelMap, isNumeric, Optional, typeName, Uint, type Value } from '../values.ts'
import type { Frame, Step } from './frame.ts'
import type { Planned } from './plan.ts'

/** One selection: `.field`, `[key]`, `.?field`, `[?key]`, or the field that `has()` asks for. */
export interface Qualifier {
  /** The key when it is known, … */
  readonly key?: Value
  /** … else what computes it. */
  readonly step?: Step
  /** `.field`: the name of a field, which an object may spell differently. */
  readonly field?: boolean
  readonly optional?: boolean
  readonly test?: boolean
}

/**
 * An attribute with one more selection. Each costs 1, and reading the whole 1; `has()` costs its selections only. After
 * an optional selection everything is optional: the first thing that is absent ends the walk with an empty optional.
 */
export function qualified(base: Planned, qualifier: Qualifier): Planned {
  const chain = base instanceof Chain ? base.with(qualifier) : new Chain(base, [qualifier])
  return chain
}

class Chain implements Planned {
  readonly step: Step
  readonly bare: Step
  readonly #base: Planned
  readonly #qualifiers: readonly Qualifier[]

  constructor(base: Planned, qualifiers: readonly Qualifier[]) {
    this.#base = base
    this.#qualifiers = qualifiers
    const start = base.bare ?? base.step
    this.bare = walk(start, qualifiers)
    const { bare } = this
    const own = qualifiers.at(-1)?.test || (base.bare !== undefined && base.bare === base.step) ? 0 : 1
    this.step = own === 0 ? bare : frame => charged(frame, bare)
  }

  with(qualifier: Qualifier): Chain {
    return new Chain(this.#base, [...this.#qualifiers, qualifier])
  }
}

function charged(frame: Frame, bare: Step): Value {
  frame.charge(1)
  return bare(frame)
}

function walk(start: Step, qualifiers: readonly Qualifier[]): Step {
  const plain = qualifiers.every(({ optional, test, key }) => !optional && !test && key !== undefined)
  const keys = qualifiers.map(({ key }) => key as Value)
  const fields = qualifiers.map(({ field }) => field === true)
  if (!plain) return frame => walkAll(frame, start(frame), qualifiers)
  return frame => {
    let value = start(frame)
    if (value instanceof Optional) return walkAll(frame, value, qualifiers)
    for (let at = 0; at < keys.length; at++) {
      frame.charge(1)
      value = select(value, keys[at] as Value, fields[at] as boolean)
    }
    return value
  }
}

function walkAll(frame: Frame, start: Value, qualifiers: readonly Qualifier[]): Value {
  let optional = start instanceof Optional
  let value = start
  if (start instanceof Optional) {
    if (start.value === undefined) return qualifiers.at(-1)?.test ? false : start
    value = start.value
  }
  for (const qualifier of qualifiers) {
    optional ||= qualifier.optional === true
    const key = qualifier.step === undefined ? (qualifier.key as Value) : qualifier.step(frame)
    const charge = qualifier.step === undefined ? 1 : 0
    if (qualifier.test) {
      frame.charge(charge)
      return isPresent(value, key)
    }
    if (!optional) {
      frame.charge(charge)
      value = select(value, key, qualifier.field === true)
      continue
    }
    const found = lookup(value, key, qualifier.field === true)
    if (found === undefined) return qualifiers.at(-1)?.test ? false : Optional.none
    frame.charge(charge)
    value = found
  }
  return optional ? new Optional(value) : value
}

function select(value: Value, key: Value, field: boolean): Value {
  const found = lookup(value, key, field)
  if (found !== undefined) return found
  return fail(value instanceof CelList ? `index out of bounds: ${shown(key)}` : `no such key: ${shown(key)}`)
}

/** What stands under a key, or undefined. */
function lookup(value: Value, key: Value, field: boolean): Value | undefined {
  if (value instanceof CelMap) return field ? value.field(key as string) : value.find(key)
  if (value instanceof CelList) {
    const index = indexOf(key)
    return index >= 0 && index < value.size ? value.at(index) : undefined
  }
  return undefined
}

function isPresent(value: Value, key: Value): boolean {
  return value instanceof CelMap && value.has(key as string)
}

/** The key as the index of a list. */
export function indexOf(key: Value): number {
  if (typeof key === 'bigint') return Number(key)
  if (!isNumeric(key)) return fail(`unsupported index type '${typeName(key)}' in list`)
  if (typeof key === 'number' && !Number.isInteger(key)) return fail(`unsupported index value ${key} in list`)
  return Number(key instanceof Uint ? key.value : key)
}

const shown = (key: Value): string => (key instanceof Uint ? String(key.value) : String(key))
