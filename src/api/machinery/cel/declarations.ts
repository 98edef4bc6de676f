import type { CelType } from './types.ts'
import type { Value } from './values.ts'

/** One signature of a function, and what it does. */
export interface Overload {
  /** Unique name, for instance `string_to_int`. */
  readonly id: string
  /** Called as `target.name(…)`: the target is the first argument. */
  readonly member: boolean
  readonly args: readonly CelType[]
  readonly result: CelType
  /**
   * The function; arguments are of the declared types. Throws a `CelError`. Absent where the planner knows the
   * operation itself.
   */
  readonly call?: (...args: never[]) => Value
  /** What a call cost, where that is not 1. */
  readonly cost?: (args: readonly Value[], result: Value) => number
}

/** A function with all its signatures. */
export interface FunctionDecl {
  readonly name: string
  readonly overloads: readonly Overload[]
  /** One implementation for all signatures; it fails by itself on arguments that do not fit. */
  readonly call?: (...args: never[]) => Value
}

/** What an expression may name. Later libraries add overloads to functions of earlier ones. */
export interface Declarations {
  readonly variables: ReadonlyMap<string, CelType>
  readonly functions: ReadonlyMap<string, FunctionDecl>
  /** Names that stand for types: `int`, `google.protobuf.Timestamp`, `Object.spec`. */
  readonly types: ReadonlyMap<string, CelType>
}

/** A function library: functions by name. */
export type Library = readonly FunctionDecl[]

/** An overload called as `name(args)`. */
export const overload = (
  id: string,
  args: readonly CelType[],
  result: CelType,
  call?: Overload['call'],
  cost?: Overload['cost'],
): Overload => ({ id, member: false, args, result, ...(call && { call }), ...(cost && { cost }) })

/** An overload called as `first.name(rest)`. */
export const method = (
  id: string,
  args: readonly CelType[],
  result: CelType,
  call?: Overload['call'],
  cost?: Overload['cost'],
): Overload => ({ ...overload(id, args, result, call, cost), member: true })

/** A function of several overloads. */
export const fn = (name: string, ...overloads: Overload[]): FunctionDecl => ({ name, overloads })

/** All functions of the libraries, overloads of the same name put together. */
export function mergeLibraries(libraries: readonly Library[]): Map<string, FunctionDecl> {
  const functions = new Map<string, FunctionDecl>()
  for (const library of libraries) {
    for (const decl of library) {
      const known = functions.get(decl.name)
      functions.set(decl.name, known ? { ...known, overloads: [...known.overloads, ...decl.overloads] } : decl)
    }
  }
  return functions
}
