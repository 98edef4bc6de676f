/** Defaults in schemas: they must be valid values of the schema that they stand in, with nothing to prune. */

import { cloneJson, equalJson } from '../../../lib/json.ts'
import { itemsOf, type JsonSchema } from '../../custom/json-schema.ts'
import { type CustomNode, compileNode } from '../../custom/node.ts'
import { coerceEmbedded, embeddedErrors } from '../../custom/object-meta.ts'
import { pruneUnknown } from '../../custom/prune.ts'
import { rules } from '../../custom/rules.ts'
import { valueErrors } from '../../custom/validate-value.ts'
import { type FieldError, invalid } from '../../machinery/field-error.ts'
import type { Errors } from '../rules.ts'
import { propertyPath } from './schema-path.ts'

type Json = Record<string, unknown>

const META: ReadonlySet<string> = new Set(['metadata', 'kind', 'apiVersion'])

/** The resource around a value in its metadata. */
interface Surrounding {
  readonly root: CustomNode
  /** Puts the value into its place in a resource. */
  wrap(value: unknown): Json
}

/** Appends what is wrong with the defaults of a schema. */
export function checkDefaults(schema: JsonSchema, path: string, errors: Errors): void {
  walk(schema, path, true, undefined, errors)
}

function walk(
  schema: JsonSchema,
  path: string,
  isResource: boolean,
  inMeta: Surrounding | undefined,
  errors: Errors,
): void {
  const around = schema['x-kubernetes-embedded-resource'] ? undefined : inMeta
  const value = schema.default ?? undefined
  if (value !== undefined)
    errors.push(...(around ? metaErrors(schema, path, around) : ownErrors(asResource(schema, isResource), path)))
  const items = itemsOf(schema)
  if (items) {
    const inside = around && { root: around.root, wrap: (inner: unknown) => around.wrap([inner]) }
    walk(items, `${path}.items`, false, inside, errors)
  }
  const holds = isResource || schema['x-kubernetes-embedded-resource'] === true
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    let inside = around && { root: around.root, wrap: (inner: unknown) => around.wrap({ [name]: inner }) }
    if (holds && META.has(name)) inside = surroundingOf(schema, name)
    walk(each, propertyPath(path, name), false, inside, errors)
  }
}

const asResource = (schema: JsonSchema, isResource: boolean): JsonSchema =>
  isResource ? { ...schema, 'x-kubernetes-embedded-resource': true } : schema

function surroundingOf(resource: JsonSchema, name: string): Surrounding {
  const root = compileNode(asResource(resource, true))
  return { root, wrap: inner => ({ apiVersion: 'validation/v1', kind: 'Validation', [name]: inner }) }
}

const told = ({ field, message }: FieldError) => `${field}: ${message}`

function metaErrors(schema: JsonSchema, path: string, { root, wrap }: Surrounding): FieldError[] {
  const at = `${path}.default`
  const resource = wrap(cloneJson(schema.default))
  const { error } = coerceEmbedded(resource, root)
  if (error) return [invalid(at, schema.default, `must result in valid metadata: ${error}`)]
  const problems = embeddedErrors(resource, root).map(told)
  if (problems.length) {
    const all = problems.length > 1 ? `[${problems.join(', ')}]` : problems[0]
    return [invalid(at, schema.default, `must result in valid metadata: ${all}`)]
  }
  const node = compileNode(schema)
  const values = valueErrors(schema.default, node, at)
  return values.length ? values : ruleErrors(schema, node, at)
}

function ownErrors(schema: JsonSchema, path: string): FieldError[] {
  const at = `${path}.default`
  const node = compileNode(schema)
  const value = cloneJson(schema.default)
  const errors: FieldError[] = []
  pruneUnknown(value, node, false)
  if (!equalJson(value, schema.default)) errors.push(invalid(at, schema.default, 'must not have unknown fields'))
  const whole = cloneJson(schema.default)
  const { problem } = coerceEmbedded(whole, node)
  if (problem) return [...errors, { ...problem, field: `${at}.${problem.field}` }]
  const embedded = embeddedErrors(whole, node).map(each => ({ ...each, field: `${at}.${each.field}` }))
  if (embedded.length) return [...errors, ...embedded]
  const values = valueErrors(schema.default, node, at)
  return [...errors, ...(values.length ? values : ruleErrors(schema, node, at))]
}

/** A default obeys the rules beside it, as a new value and as one that stays as it is. */
function ruleErrors(schema: JsonSchema, node: CustomNode, path: string): FieldError[] {
  if (!node.has.rules) return []
  const asked = { node, value: schema.default, path, isResource: node.embedded }
  const unchanged = rules().evaluateRules({ ...asked, old: schema.default })
  return unchanged.length ? unchanged : rules().evaluateRules({ ...asked, old: undefined })
}
