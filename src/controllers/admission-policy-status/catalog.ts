import { applySchema } from '../../api/custom/apply-schema.ts'
import type { JsonSchema } from '../../api/custom/json-schema.ts'
import { definition } from '../../api/generated/schemas.ts'
import { kinds } from '../../api/kinds/all.ts'
import type { CustomResourceDefinition } from '../../api/kinds/apiextensions/custom-resource-definition.ts'
import type { CheckedKind, KindCatalog } from '../../api/policies/type-check.ts'

/** Every kind with its schema: the built-in ones, and those that the definitions make. */
export function kindCatalog(definitions: readonly CustomResourceDefinition[]): KindCatalog {
  return {
    byResource: (group, version, resource) =>
      builtIn(each => each.group === group && each.version === version && each.plural === resource) ??
      custom(definitions, (each, at) => each.group === group && at === version && each.names.plural === resource),
    byKind: (apiVersion, kind) =>
      builtIn(each => each.apiVersion === apiVersion && each.kind === kind) ??
      custom(definitions, (each, at) => `${each.group}/${at}` === apiVersion && each.names.kind === kind),
    resolve: definition,
  }
}

function builtIn(wanted: (kind: (typeof kinds)[number]) => boolean): CheckedKind | undefined {
  const found = kinds.find(wanted)
  if (found === undefined) return undefined
  const { group, version, kind, schema } = found
  return { group, version, kind, schema: typeof schema === 'string' ? { ref: schema } : schema }
}

function custom(
  definitions: readonly CustomResourceDefinition[],
  wanted: (spec: CustomResourceDefinition['spec'], version: string) => boolean,
): CheckedKind | undefined {
  for (const { spec } of definitions)
    for (const { name, served, schema } of spec.versions)
      if (served && wanted(spec, name)) {
        const json = schema?.openAPIV3Schema as JsonSchema | undefined
        return { group: spec.group, version: name, kind: spec.names.kind, schema: applySchema(json) }
      }
  return undefined
}
