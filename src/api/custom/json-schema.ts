/**
 * The schemas that CustomResourceDefinitions bring: apiextensions/v1 JSONSchemaProps with those parts typed that the
 * OpenAPI document leaves open.
 */
import type { JSONSchemaProps } from '../generated/types/apiextensions-v1.ts'

type Nested =
  | 'additionalItems'
  | 'additionalProperties'
  | 'allOf'
  | 'anyOf'
  | 'definitions'
  | 'dependencies'
  | 'items'
  | 'not'
  | 'oneOf'
  | 'patternProperties'
  | 'properties'

export interface JsonSchema extends Omit<JSONSchemaProps, Nested> {
  readonly additionalItems?: JsonSchema | boolean
  readonly additionalProperties?: JsonSchema | boolean
  readonly allOf?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly definitions?: Readonly<Record<string, JsonSchema>>
  readonly dependencies?: Readonly<Record<string, JsonSchema | readonly string[]>>
  readonly items?: JsonSchema | readonly JsonSchema[]
  readonly not?: JsonSchema
  readonly oneOf?: readonly JsonSchema[]
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>
  readonly properties?: Readonly<Record<string, JsonSchema>>
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `items` where it is one schema. */
export const itemsOf = (schema: JsonSchema): JsonSchema | undefined =>
  isSchema(schema.items) ? schema.items : undefined

/** `additionalProperties` where it is a schema. */
export const valuesOf = (schema: JsonSchema): JsonSchema | undefined =>
  isSchema(schema.additionalProperties) ? schema.additionalProperties : undefined

/** Every schema right below one. */
export function* schemasBelow(schema: JsonSchema): Generator<JsonSchema> {
  const single = [schema.items, schema.not, schema.additionalProperties, schema.additionalItems]
  for (const each of single) if (isSchema(each)) yield each
  if (Array.isArray(schema.items)) yield* schema.items as readonly JsonSchema[]
  for (const list of [schema.allOf, schema.anyOf, schema.oneOf]) if (list) yield* list
  for (const map of [schema.properties, schema.patternProperties, schema.definitions, schema.dependencies]) {
    for (const each of Object.values(map ?? {})) if (isSchema(each)) yield each
  }
}

/** Whether a condition holds for a schema or any below it. */
export function someSchema(schema: JsonSchema | undefined, condition: (schema: JsonSchema) => boolean): boolean {
  if (!schema) return false
  if (condition(schema)) return true
  for (const each of schemasBelow(schema)) if (someSchema(each, condition)) return true
  return false
}
