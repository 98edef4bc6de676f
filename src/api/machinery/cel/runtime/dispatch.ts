import type { FunctionDecl, Overload } from '../declarations.ts'
import { fail } from '../errors.ts'
import type { CelType } from '../types.ts'
import { CelList, CelMap, Optional, typeName, type Value } from '../values.ts'

/** A function that has been looked up: it takes the values of the arguments. */
export type Implementation = (...args: Value[]) => Value

/**
 * The implementation of a call: the one overload that the checker found, or the first of several that fits the
 * values. Arguments of unknown type are checked when the call is made.
 */
export function implementation(decl: FunctionDecl, ids: readonly string[] | undefined): Implementation {
  if (decl.call !== undefined) return decl.call as Implementation
  const overloads = decl.overloads.filter(overload => ids === undefined || ids.includes(overload.id))
  const only = overloads.length === 1 ? (overloads[0] as Overload) : undefined
  if (only !== undefined) return guarded(decl, only)
  return (...args) => {
    for (const overload of overloads)
      if (accepts(overload, args)) return (overload.call as unknown as Implementation)(...args)
    return noSuchOverload(decl.name, args)
  }
}

function guarded(decl: FunctionDecl, overload: Overload): Implementation {
  const call = overload.call as unknown as Implementation
  const [first, second] = overload.args
  if (overload.args.length === 1) return a => (matches(first as CelType, a) ? call(a) : noSuchOverload(decl.name, [a]))
  if (overload.args.length === 2)
    return (a, b) =>
      matches(first as CelType, a) && matches(second as CelType, b) ? call(a, b) : noSuchOverload(decl.name, [a, b])
  return (...args) => (accepts(overload, args) ? call(...args) : noSuchOverload(decl.name, args))
}

function accepts(overload: Overload, args: readonly Value[]): boolean {
  if (overload.args.length !== args.length) return false
  return overload.args.every((type, index) => matches(type, args[index] as Value))
}

/** Functions that look at their arguments themselves, and say less about them. */
const UNGUARDED = new Set(['contains', 'endsWith', 'startsWith', 'flatten'])

/** Fails as a call does whose arguments fit no overload. */
export function noSuchOverload(name: string, args: readonly Value[]): never {
  if (UNGUARDED.has(name)) return fail('no such overload')
  return fail(`no such overload: ${name}(${args.map(typeName).join(', ')})`)
}

/** Whether a value is of a declared type, as far as that is seen without looking into it. */
function matches(type: CelType, value: Value): boolean {
  switch (type.kind) {
    case 'string':
      return typeof value === 'string'
    case 'int':
      return typeof value === 'bigint'
    case 'double':
      return typeof value === 'number'
    case 'bool':
      return typeof value === 'boolean'
    case 'list':
      return value instanceof CelList && elementMatches(type.params[0] as CelType, value)
    case 'map':
      return value instanceof CelMap
    case 'dyn':
    case 'any':
    case 'param':
    case 'error':
      return true
    case 'opaque':
      return type.name === 'optional_type' ? value instanceof Optional : typeName(value) === type.name
    default:
      return typeName(value) === type.name
  }
}

/** A list is told from others by its first element, which is enough where overloads differ by element. */
function elementMatches(type: CelType, list: CelList): boolean {
  return list.size === 0 || type.kind === 'param' || type.kind === 'dyn' || matches(type, list.at(0))
}
