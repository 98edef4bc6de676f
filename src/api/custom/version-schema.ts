import type { CustomResourceDefinitionVersion } from '../generated/types/apiextensions-v1.ts'
import { type JsonSchema, someSchema } from './json-schema.ts'
import { type CustomNode, compileNode } from './node.ts'
import { loadPatterns } from './patterns.ts'
import { loadRules } from './rules.ts'

/** The schema of one version of a definition, compiled when it is first asked for. */
export interface VersionSchema {
  readonly version: string
  readonly source: JsonSchema | undefined
  readonly root: CustomNode
  /** Loads the engines of what it has: regular expressions, CEL rules. undefined: it needs none that is not there. */
  load(): Promise<void> | undefined
}

/** Loads the engines that schemas need. */
export async function loadEngines(schemas: readonly (JsonSchema | undefined)[]): Promise<void> {
  const has = (condition: (schema: JsonSchema) => boolean) => schemas.some(each => someSchema(each, condition))
  if (has(each => Boolean(each.pattern))) await loadPatterns()
  if (has(each => Boolean(each['x-kubernetes-validations']?.length))) await loadRules()
}

/** A version without a schema keeps everything. */
const OPEN: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

export function versionSchema(version: CustomResourceDefinitionVersion): VersionSchema {
  const source = version.schema?.openAPIV3Schema as JsonSchema | undefined
  let root: CustomNode | undefined
  let loading: Promise<void> | undefined
  let isLoaded = false
  return {
    version: version.name,
    source,
    get root() {
      return (root ??= compileNode(source ?? OPEN))
    },
    load() {
      if (isLoaded) return undefined
      loading ??= loadEngines([source]).then(() => {
        isLoaded = true
      })
      return loading
    },
  }
}
