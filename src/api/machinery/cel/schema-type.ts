import type { Schema } from '../schema.ts'
import { escapeField } from './field-names.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  objectType,
  STRING,
  TIMESTAMP,
} from './types.ts'

/** A schema with the limits that a CustomResourceDefinition may set; cost estimation lives on them. */
export interface RuleSchema extends Schema {
  readonly maxLength?: number
  readonly maxItems?: number
  readonly maxProperties?: number
}

/** Finds a schema that another one names. */
export type ResolveRef = (ref: string) => Schema | undefined

/** A type, and how few bytes of JSON a value of it takes: what limits how many fit into a request. */
export interface SchemaType {
  readonly type: CelType
  readonly minSize: number
}

/** How big a request body may be. */
const REQUEST_BYTES = 3 * 1024 * 1024
const NO_REFS: ResolveRef = () => undefined

/**
 * The CEL type of a schema. Fields of objects are found when they are asked for.
 *
 * @param name the name of the type when it is an object; types inside get names from it
 * @param root of a custom resource or embedded resource: `apiVersion`, `kind` and `metadata` are always there
 * @returns undefined when expressions cannot see values of this schema
 */
export function schemaType(
  schema: RuleSchema,
  name: string,
  root = false,
  resolve: ResolveRef = NO_REFS,
): SchemaType | undefined {
  if (schema.ref !== undefined) {
    const target = resolve(schema.ref)
    return target === undefined ? undefined : schemaType(target, name, root, resolve)
  }
  if (schema.intOrString || schema.format === 'int-or-string')
    return sized(DYN, 1, schema.maxLength === undefined ? REQUEST_BYTES - 2 : schema.maxLength * 4)
  switch (schema.type) {
    case 'array':
      return arrayType(schema, name, resolve)
    case 'object':
      return isMap(schema) ? mapType(schema, name, resolve) : fieldsType(schema, name, root, resolve)
    case 'string':
      return stringType(schema)
    case 'boolean':
      return { type: BOOL, minSize: 4 }
    case 'number':
      return { type: DOUBLE, minSize: 1 }
    case 'integer':
      return { type: INT, minSize: 1 }
    default:
      return root && schema.type === undefined ? fieldsType(schema, name, root, resolve) : undefined
  }
}

const sized = (type: CelType, minSize: number, max: number): SchemaType => ({
  type: { ...type, bounds: { max: Math.max(0, max) } },
  minSize,
})

/** Whether the schema is of a map with values of one schema. */
export const isMap = (schema: Schema): boolean => typeof schema.additionalProperties === 'object'

function arrayType(schema: RuleSchema, name: string, resolve: ResolveRef): SchemaType | undefined {
  const items = schema.items && schemaType(schema.items, `${name}.@idx`, schema.items.embeddedResource, resolve)
  if (items === undefined) return undefined
  const max = schema.maxItems ?? Math.floor((REQUEST_BYTES - 2) / (items.minSize + 1))
  return sized(listOf(items.type), 2, max)
}

function mapType(schema: RuleSchema, name: string, resolve: ResolveRef): SchemaType | undefined {
  const values = schema.additionalProperties as RuleSchema
  const value = schemaType(values, `${name}.@elem`, values.embeddedResource, resolve)
  if (value === undefined) return undefined
  const max = schema.maxProperties ?? Math.floor((REQUEST_BYTES - 2) / (value.minSize + 6))
  return sized(mapOf(STRING, value.type), 2, max)
}

const METADATA: Schema = { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } }

/** The properties that expressions may see at the root of a resource. */
function rootProperties(schema: Schema): Readonly<Record<string, Schema>> {
  const own = schema.properties ?? {}
  const metadata = own.metadata?.properties
  const complete = own.kind?.type === 'string' && own.apiVersion?.type === 'string' && metadata?.name?.type === 'string'
  if (own.metadata?.ref !== undefined || (complete && metadata?.generateName?.type === 'string')) return own
  return { ...own, kind: { type: 'string' }, apiVersion: { type: 'string' }, metadata: METADATA }
}

function fieldsType(schema: RuleSchema, name: string, root: boolean, resolve: ResolveRef): SchemaType {
  const properties = root ? rootProperties(schema) : (schema.properties ?? {})
  const names = new Map<string, string>()
  for (const property of Object.keys(properties)) {
    const escaped = escapeField(property)
    if (escaped !== undefined) names.set(escaped, property)
  }
  const known = new Map<string, SchemaType | undefined>()
  const find = (property: string) => {
    if (!known.has(property)) {
      const field = properties[property] as Schema
      known.set(property, schemaType(field, `${name}.${property}`, field.embeddedResource, resolve))
    }
    return known.get(property)
  }
  const type = objectType(name, field => {
    const property = names.get(field)
    return property === undefined ? undefined : find(property)?.type
  })
  return {
    type,
    get minSize() {
      let size = 2
      for (const property of schema.required ?? []) {
        if (properties[property] === undefined || properties[property]?.default !== undefined) continue
        const field = find(property)
        if (field !== undefined) size += property.length + field.minSize + 4
      }
      return size
    },
  }
}

function stringType(schema: RuleSchema): SchemaType | undefined {
  switch (schema.format) {
    // May be a number as well, so it has no one type.
    case 'quantity':
      return undefined
    case 'byte':
      return sized(BYTES, 2, schema.maxLength ?? REQUEST_BYTES - 2)
    case 'duration':
      return sized(DURATION, 3, 32)
    case 'date':
      return sized(TIMESTAMP, 12, 12)
    case 'date-time':
      return sized(TIMESTAMP, 21, 32)
    default:
      return sized(STRING, 2, stringLimit(schema))
  }
}

function stringLimit(schema: RuleSchema): number {
  if (schema.maxLength !== undefined) return schema.maxLength * 4
  const words = (schema.enum ?? []).filter(word => typeof word === 'string')
  return schema.enum?.length ? Math.max(0, ...words.map(word => word.length)) : REQUEST_BYTES - 2
}
