/** Bodies of PATCH, and what the three kinds of patches make of an object. */

import { jsonType } from '../../api/machinery/go-text.ts'
import { jsonPatch } from '../../api/machinery/json-patch.ts'
import { parseJson } from '../../api/machinery/json-strict.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { mergePatch } from '../../api/machinery/merge-patch.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { compileSchema, fillZeros } from '../../api/machinery/schema-node.ts'
import { badRequest, notTaken, unsupportedMediaType } from '../../api/machinery/status-error.ts'
import { strategicMergePatch } from '../../api/machinery/strategic-merge-patch.ts'
import type { ServerRequest } from '../request.ts'
import { mediaType, parseYamlBody } from './decode-body.ts'

const JSON_PATCH = 'application/json-patch+json'
const MERGE_PATCH = 'application/merge-patch+json'
export const STRATEGIC = 'application/strategic-merge-patch+json'
export const APPLY = 'application/apply-patch+yaml'

export const PATCH_TYPES = [JSON_PATCH, MERGE_PATCH, STRATEGIC, APPLY] as const
export type PatchType = (typeof PATCH_TYPES)[number]

export interface PatchBody {
  readonly type: PatchType
  readonly value: unknown
  /** Paths of fields that the patch repeats; of an apply, lines that say so. */
  readonly duplicates: readonly string[]
}

/** Those that fit a kind: a strategic merge needs more than a custom schema says. */
export const patchTypesOf = (kind: Kind | undefined): readonly PatchType[] =>
  kind?.custom ? PATCH_TYPES.filter(type => type !== STRATEGIC) : PATCH_TYPES

/** The patch in a body. Throws 415 for a type that is none, or not one of the request's kind. */
export async function patchBody(request: ServerRequest, findDuplicates: boolean): Promise<PatchBody> {
  const patch = await readPatch(request, findDuplicates)
  request.noteBody?.(patch.value)
  return patch
}

async function readPatch({ body, kind }: ServerRequest, findDuplicates: boolean): Promise<PatchBody> {
  const type = body.type === 'none' ? '' : mediaType(body.contentType)
  const types = patchTypesOf(kind)
  if (!types.some(each => each === type)) throw kind?.custom ? unsupportedMediaType(types) : notTaken()
  const known = { type: type as PatchType }
  if (body.type === 'value') return { ...known, value: body.value, duplicates: [] }
  const text = body.type === 'bytes' ? (await body.read()).toString() : ''
  // JSON is YAML, and parsed many times as fast.
  if (type === APPLY && !text.trimStart().startsWith('{')) return { ...known, ...(await parseYamlBody(text)) }
  const parsed = parseJson(text, findDuplicates)
  // An apply is YAML in any case: its repetitions are told by their lines.
  const told = type === APPLY && parsed.duplicates.length ? await parseYamlBody(text) : parsed
  return { ...known, value: parsed.value, duplicates: told.duplicates }
}

const isMap = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Applies a patch of one of the three kinds. `object` and `patch` must not be used any more. `strict`: what a merge
 * patch is made of is looked at before it is merged, which changes the words of an error.
 */
export function patched(
  type: PatchType,
  object: KubeObject,
  patch: unknown,
  schema: Schema | string,
  strict = true,
): KubeObject {
  if (type === JSON_PATCH) {
    // Its paths are those of the object as Go shows it.
    fillZeros(compileSchema(schema), object, true)
    return jsonPatch(object, patch) as KubeObject
  }
  const problem = isMap(patch)
    ? undefined
    : `json: cannot unmarshal ${jsonType(patch)} into Go value of type map[string]interface {}`
  if (type === MERGE_PATCH) {
    if (problem) throw badRequest(strict && patch !== null ? `error decoding patch: ${problem}` : 'Invalid JSON Patch')
    return mergePatch(object, patch) as KubeObject
  }
  if (problem && patch !== null) throw badRequest(problem)
  return strategicMergePatch(object, patch ?? {}, schema) as KubeObject
}
