import type { CelType } from '../types.ts'
import type { Value } from '../values.ts'

/**
 * An expression as the parser makes it, with macros expanded. `at` is the offset in the source that errors about the
 * node point to. The checker writes `type` and `overloads` into it and resolves qualified names in place.
 */
export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | StructExpr | Comprehension

interface Node {
  /** Offset in UTF-16 units. */
  readonly at: number
  /** What the checker found. */
  type?: CelType
}

export interface Literal extends Node {
  readonly kind: 'literal'
  readonly value: Value
}

export interface Ident extends Node {
  readonly kind: 'ident'
  name: string
}

export interface Select extends Node {
  readonly kind: 'select'
  readonly operand: Expr
  readonly field: string
  /** `has(operand.field)`. */
  readonly test: boolean
  /** Set by the checker when the whole chain is the name of a variable or type. */
  qualified?: string
}

export interface Call extends Node {
  readonly kind: 'call'
  name: string
  /** The receiver of `target.name(…)`; the checker removes it where the target was a namespace. */
  target: Expr | undefined
  readonly args: readonly Expr[]
  /** Ids of the overloads that may be meant, in order of declaration; written by the checker. */
  overloads?: readonly string[]
}

export interface ListExpr extends Node {
  readonly kind: 'list'
  readonly elements: readonly Expr[]
  /** Which elements are `?x`. */
  readonly optional: readonly boolean[]
}

export interface MapEntry {
  readonly at: number
  readonly key: Expr
  readonly value: Expr
  readonly optional: boolean
}

export interface MapExpr extends Node {
  readonly kind: 'map'
  readonly entries: readonly MapEntry[]
}

export interface FieldInit {
  readonly at: number
  readonly field: string
  readonly value: Expr
  readonly optional: boolean
}

export interface StructExpr extends Node {
  readonly kind: 'struct'
  name: string
  readonly fields: readonly FieldInit[]
}

/** What every loop of CEL becomes: fold `range` into `accu`. */
export interface Comprehension extends Node {
  readonly kind: 'comprehension'
  readonly range: Expr
  readonly iterVar: string
  readonly iterVar2: string | undefined
  readonly accuVar: string
  readonly init: Expr
  readonly condition: Expr
  readonly step: Expr
  readonly result: Expr
}
