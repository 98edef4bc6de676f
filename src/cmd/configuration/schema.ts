/** The configuration's JSON Schema, for editors: made from the one list of fields. */
import type { Shape } from '../../apiserver/configuration/read.ts'
import { GROUP, KIND, SHAPE } from './configuration.ts'

/** JSON Schema (draft 2020-12). */
export type JsonSchema = { readonly [key: string]: unknown }

function schemaOf(shape: Shape): JsonSchema {
  if (typeof shape === 'string') return { type: shape }
  if (Array.isArray(shape)) return { type: 'array', items: schemaOf(shape[0] as Shape) }
  const { '*': others, ...named } = shape as Record<string, Shape>
  const fields = Object.entries(named)
  return {
    type: 'object',
    additionalProperties: others ? schemaOf(others) : false,
    properties: Object.fromEntries(fields.map(([name, inner]) => [name, schemaOf(inner)])),
  }
}

/** The schema of a whole file. */
export function configurationSchema(): JsonSchema {
  const { properties, ...rest } = schemaOf(SHAPE)
  const apiVersions = GROUP.versions.map(version => `${GROUP.group}/${version}`)
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: KIND,
    ...rest,
    required: ['apiVersion', 'kind'],
    properties: { apiVersion: { enum: apiVersions }, kind: { const: KIND }, ...(properties as object) },
  }
}
