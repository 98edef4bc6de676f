/**
 * The rules of a schema where they stand. A node's rules are compiled when a value first comes there; parts of a schema
 * without rules are not in the tree.
 */
import { schemaType } from '../../machinery/cel/schema-type.ts'
import { schemaValue } from '../../machinery/cel/schema-value.ts'
import type { Value } from '../../machinery/cel/values.ts'
import { convert, type LimitedSchema } from '../apply-schema.ts'
import type { CustomNode } from '../node.ts'
import { type CompiledRule, compileRule } from './compile.ts'

export interface RuleNode {
  readonly node: CustomNode
  readonly rules: readonly CompiledRule[]
  /** A JSON value as rules see it. Throws `CelError`. */
  value(json: unknown): Value
  readonly items: RuleNode | undefined
  readonly values: RuleNode | undefined
  property(name: string): RuleNode | undefined
}

const trees = new WeakMap<CustomNode, RuleNode>()

/** The rules of a schema; undefined where it has none. `isResource`: apiVersion, kind and metadata are always there. */
export function ruleTree(node: CustomNode, isResource: boolean): RuleNode | undefined {
  if (!node.has.rules) return undefined
  const known = trees.get(node)
  if (known) return known
  const made = makeNode(node, isResource)
  trees.set(node, made)
  return made
}

function makeNode(node: CustomNode, isResource: boolean): RuleNode {
  let rules: readonly CompiledRule[] | undefined
  let toValue: ((json: unknown) => Value) | undefined
  const below = (child: CustomNode | undefined) => child && ruleTree(child, child.embedded)
  return {
    node,
    get rules() {
      return (rules ??= compileRules(node, isResource))
    },
    value(json) {
      toValue ??= schemaValue(convert(node.schema) as LimitedSchema)
      return toValue(json)
    },
    get items() {
      return below(node.items)
    },
    get values() {
      return below(node.values)
    },
    property: name => below(node.properties.get(name)),
  }
}

function compileRules(node: CustomNode, isResource: boolean): readonly CompiledRule[] {
  if (!node.rules.length) return []
  const type = schemaType(convert(node.schema), 'selfType', isResource)
  // Values that no expression can see have no rules.
  return type ? node.rules.map(rule => compileRule(rule, type.type)) : []
}
