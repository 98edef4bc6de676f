import type { CustomResourceDefinitionVersion } from '../generated/types/apiextensions-v1.ts'
import { type JsonSchema, someSchema } from './json-schema.ts'
import { type CustomNode, compileNode } from './node.ts'

/** The schema of one version of a definition, compiled when it is first asked for. */
export interface VersionSchema {
  readonly version: string
  readonly source: JsonSchema | undefined
  readonly root: CustomNode
  /** It has regular expressions: their engine must be loaded before objects are validated. */
  readonly hasPatterns: boolean
}

/** A version without a schema keeps everything. */
const OPEN: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

export function versionSchema(version: CustomResourceDefinitionVersion): VersionSchema {
  const source = version.schema?.openAPIV3Schema as JsonSchema | undefined
  let root: CustomNode | undefined
  let hasPatterns: boolean | undefined
  return {
    version: version.name,
    source,
    get root() {
      return (root ??= compileNode(source ?? OPEN))
    },
    get hasPatterns() {
      return (hasPatterns ??= someSchema(source, each => Boolean(each.pattern)))
    },
  }
}
