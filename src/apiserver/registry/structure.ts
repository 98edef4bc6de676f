import { goPrinted, goQuoted } from '../../api/machinery/go-text.ts'
import { type Kind, unregistered } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { restoreProblem } from '../../api/machinery/restore.ts'
import { compileSchema } from '../../api/machinery/schema-node.ts'
import { invalid } from '../../api/machinery/status-error.ts'
import {
  checkStructure as check,
  decodeError,
  pruneUnknown,
  type StructuralResult,
  strictMessage,
  strictProblems,
} from '../../api/machinery/structural.ts'
import { cloneJson } from '../../lib/json.ts'
import type { WriteContext } from './registry.ts'
import { isKeptAsJson } from './traits.ts'

/** Empty lists and maps that the client said. They are not told from none once they are kept, but by rules they are. */
export interface Empties {
  readonly any: boolean
  /** Takes those out of the object, in place, that Go's encoder would leave out. */
  hide(): void
  /** Takes all of them out. */
  drop(): void
  /** Puts them where they stood, unless something stands there. */
  restore(): void
}

const NO_EMPTIES: Empties = { any: false, hide() {}, drop() {}, restore() {} }

/**
 * Refuses mistyped fields, and drops unknown ones from `object` in place: with an error, a warning or nothing, as the
 * client asked. Those empty lists that Go would show as null are left standing.
 */
export function checkStructure(kind: Kind, object: KubeObject, context: WriteContext): Empties {
  const { error, unknown, empties = [] } = structureOf(kind, object)
  if (error !== undefined) throw decodeError(kind, error)
  tellUnknown(kind, object, unknown, context)
  if (!empties.length || isKeptAsJson(kind)) return NO_EMPTIES
  const remove = (which: typeof empties) => {
    for (const { holder, key, value } of which) if (holder[key] === value) delete holder[key]
  }
  return {
    any: true,
    hide: () => remove(empties.filter(({ shown }) => !shown)),
    drop: () => remove(empties),
    restore() {
      for (const { holder, key, value } of empties) holder[key] ??= value
    },
  }
}

function tellUnknown(kind: Kind, object: KubeObject, unknown: readonly string[], context: WriteContext) {
  const duplicates = context.duplicates ?? []
  if (unknown.length === 0 && duplicates.length === 0) return
  if (context.fieldValidation === 'Strict') throw decodeError(kind, strictMessage(unknown, duplicates)!)
  if (context.fieldValidation === 'Warn') {
    for (const problem of strictProblems(unknown, duplicates)) context.warn?.(problem)
  }
  if (unknown.length && !kind.custom) pruneUnknown(object, kind.schema)
}

/** The first reason why an object has not the structure of its kind, and its unknown fields. */
function structureOf(
  kind: Kind,
  object: KubeObject,
): { error?: string; unknown: readonly string[]; empties?: StructuralResult['empties'] } {
  if (kind.custom) return kind.custom.structure(object)
  const { errors, unknown, empties } = check(object, kind.schema)
  return errors[0] ? { error: errors[0].message, unknown } : { unknown, empties }
}

/** Where a strategic merge went wrong, upstream's converter names the types alone. */
function unconvertible(kind: Kind, object: KubeObject, message: string): string {
  const said = message.replace(/Go struct field \S+/, 'Go value')
  const base64 = said.replace(/^illegal base64/, 'error decoding from json: $&')
  return restoreProblem(compileSchema(kind.schema), object) ?? base64
}

/** The same for what a patch made, where upstream answers in other words. `strategic` is the patch, if it was one. */
export function checkPatched(kind: Kind, object: KubeObject, context: WriteContext, strategic?: unknown) {
  const { error: mistyped, unknown, empties = [] } = structureOf(kind, kind.custom ? cloneJson(object) : object)
  for (const { holder, key, value } of empties) holder[key] ??= value
  // Who takes them away leaves them to the path.
  const [name, version] = [object.kind ?? kind.kind, object.apiVersion ?? kind.apiVersion]
  const other = name !== kind.kind || version !== kind.apiVersion
  const error = other && object.metadata?.name ? unregistered(version, name) : mistyped
  const duplicates = context.duplicates ?? []
  const strict = context.fieldValidation === 'Strict' ? strictMessage(unknown, duplicates) : undefined
  const message = error ?? strict
  if (message === undefined) return
  const converts = strategic !== undefined && error === mistyped && error !== undefined
  const text = goQuoted(converts ? goPrinted(strategic) : JSON.stringify(object))
  const told = converts ? unconvertible(kind, object, message) : message
  throw invalid({ group: '', kind: '' }, '', [
    { reason: 'FieldValueInvalid', field: 'patch', message: `Invalid value: ${text}: ${told}` },
  ])
}
