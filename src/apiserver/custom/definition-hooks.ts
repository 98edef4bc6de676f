import type { JsonSchema } from '../../api/custom/json-schema.ts'
import { loadEngines } from '../../api/custom/version-schema.ts'
import type { CustomResourceDefinition } from '../../api/generated/types/apiextensions-v1.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { KindHooks } from '../registry/registry.ts'

/** Loads what the validation of a definition needs: most need nothing. */
async function load(object: KubeObject): Promise<void> {
  const { versions = [] } = (object as CustomResourceDefinition).spec ?? {}
  await loadEngines(versions.map(each => each.schema?.openAPIV3Schema as JsonSchema | undefined))
}

export const definitionHooks: KindHooks = { beforeCreate: load, beforeUpdate: load }
