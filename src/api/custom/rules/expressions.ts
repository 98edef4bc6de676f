/**
 * The rules of a definition's schema, looked at before there are objects: that they compile, that no object can make
 * them cost too much, and that transitions are asked for only where old and new values can be matched
 * (k8s.io/apiextensions-apiserver `pkg/apis/apiextensions/validation`).
 */
import type { ValidationRule } from '../../generated/types/apiextensions-v1.ts'
import { maxCardinality } from '../../machinery/cel/estimate/estimate.ts'
import { UNBOUNDED } from '../../machinery/cel/estimate/range.ts'
import { type SchemaType, schemaType } from '../../machinery/cel/schema-type.ts'
import { type FieldError, forbidden, invalid } from '../../machinery/field-error.ts'
import { convert } from '../apply-schema.ts'
import { itemsOf, type JsonSchema, valuesOf } from '../json-schema.ts'
import { type CompiledRule, compileRule } from './compile.ts'

const RULE_LIMIT = 10_000_000
const SCHEMA_LIMIT = 100_000_000
/** Rules that are named when all together cost too much. */
const MOST_EXPENSIVE = 4

interface Cost {
  readonly path: string
  readonly cost: number
}

interface Walk {
  readonly errors: FieldError[]
  readonly costs: Cost[]
}

/** Where a schema stands. */
interface Place {
  readonly path: string
  /** How often its values can be in one object; undefined: nobody says. */
  readonly cardinality: number | undefined
  /** The part of the schema, here or above, whose old and new values cannot be matched. */
  readonly unmatched: string | undefined
}

const times = (a: number, b: number) => Math.min(UNBOUNDED, a * b)

function factorText(cost: number, limit: number): string {
  const factor = cost / limit
  if (factor > 100) return 'more than 100x'
  return factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
}

const tooExpensive = (what: string, cost: number, limit: number) =>
  `${what} exceeds budget by factor of ${factorText(cost, limit)} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`

/** What is wrong with the rules of a schema. `path` is that of the schema. */
export function checkExpressions(schema: JsonSchema, path: string): FieldError[] {
  const walk: Walk = { errors: [], costs: [] }
  visit(walk, schema, { path, cardinality: 1, unmatched: undefined }, true)
  const total = walk.costs.reduce((sum, { cost }) => Math.min(UNBOUNDED, sum + cost), 0)
  if (total <= SCHEMA_LIMIT) return walk.errors
  const worst = walk.costs.filter(each => each.cost >= SCHEMA_LIMIT / 100).sort((a, b) => b.cost - a.cost)
  const share = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'
  for (const each of worst.slice(0, MOST_EXPENSIVE)) walk.errors.push(forbidden(each.path, share))
  const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema'
  walk.errors.push(forbidden(path, tooExpensive(what, total, SCHEMA_LIMIT)))
  return walk.errors
}

/** How many values below a schema one of its own can hold. */
function elementsOf(schema: JsonSchema): number | undefined {
  if (schema.type === 'array') return schema.maxItems
  if (schema.type === 'object' && schema.additionalProperties !== undefined) return schema.maxProperties
  return 1
}

function visit(walk: Walk, schema: JsonSchema, place: Place, isResource: boolean): void {
  const { path, cardinality } = place
  const elements = elementsOf(schema)
  const below = cardinality === undefined || elements === undefined ? undefined : times(cardinality, elements)
  const descend = (each: JsonSchema, at: string, unmatched = place.unmatched) =>
    visit(walk, each, { path: at, cardinality: below, unmatched }, each['x-kubernetes-embedded-resource'] === true)
  for (const [name, each] of Object.entries(schema.properties ?? {})) descend(each, `${path}.properties[${name}]`)
  const values = valuesOf(schema)
  if (values) descend(values, `${path}.additionalProperties`)
  const items = itemsOf(schema)
  // Items of a list can be matched only by their keys.
  const isMap = schema['x-kubernetes-list-type'] === 'map'
  if (items) descend(items, `${path}.items`, isMap ? place.unmatched : (place.unmatched ?? path))
  const rules = schema['x-kubernetes-validations'] ?? []
  if (!rules.length) return
  const type = schemaType(convert(schema), 'selfType', isResource)
  if (!type) return
  rules.forEach((rule, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`
    check(walk, compileRule(rule, type.type), type, { ...place, path: at })
  })
}

/** A rule as Kubernetes' internal form has it. */
const shown = ({ rule, message, messageExpression, reason, fieldPath, optionalOldSelf }: ValidationRule) => ({
  Rule: rule,
  Message: message ?? '',
  MessageExpression: messageExpression ?? '',
  Reason: reason ?? null,
  FieldPath: fieldPath ?? '',
  OptionalOldSelf: optionalOldSelf ?? null,
})

function check(walk: Walk, compiled: CompiledRule, type: SchemaType, { path, cardinality, unmatched }: Place): void {
  const { rule, message } = compiled
  const cost = times(compiled.maxCost, cardinality ?? maxCardinality(type.minSize))
  if (cost > RULE_LIMIT) {
    walk.errors.push(forbidden(`${path}.rule`, tooExpensive('estimated rule cost', cost, RULE_LIMIT)))
  }
  walk.costs.push({ path: `${path}.rule`, cost })
  if (compiled.error !== undefined) walk.errors.push(invalid(`${path}.rule`, shown(rule), compiled.error))
  if (message && 'error' in message) {
    walk.errors.push(invalid(`${path}.messageExpression`, shown(rule), message.error))
  } else if (message) {
    if (message.maxCost > RULE_LIMIT) {
      const detail = tooExpensive('estimated messageExpression cost', message.maxCost, RULE_LIMIT)
      walk.errors.push(forbidden(`${path}.messageExpression`, detail))
    }
    walk.costs.push({ path: `${path}.messageExpression`, cost: message.maxCost })
  }
  if (compiled.usesOldSelf && unmatched !== undefined) {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${unmatched}`
    walk.errors.push(invalid(`${path}.rule`, rule.rule, detail))
  } else if (!compiled.usesOldSelf && rule.optionalOldSelf !== undefined) {
    const detail = 'may not be set if oldSelf is not used in rule'
    walk.errors.push(invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, detail))
  }
}
