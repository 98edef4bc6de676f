import { type JsonSchema, someSchema } from '../../api/custom/json-schema.ts'
import { loadPatterns } from '../../api/custom/patterns.ts'
import type { CustomResourceDefinition } from '../../api/generated/types/apiextensions-v1.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { KindHooks } from '../registry/registry.ts'

/** Loads what the validation of a definition needs: most need nothing. */
async function load(object: KubeObject): Promise<void> {
  const { versions = [] } = (object as CustomResourceDefinition).spec ?? {}
  const schemas = versions.map(each => each.schema?.openAPIV3Schema as JsonSchema | undefined)
  if (schemas.some(schema => someSchema(schema, each => Boolean(each.pattern)))) await loadPatterns()
}

export const definitionHooks: KindHooks = { beforeCreate: load, beforeUpdate: load }
