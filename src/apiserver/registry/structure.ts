import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { invalid } from '../../api/machinery/status-error.ts'
import {
  checkStructure as check,
  decodeError,
  pruneUnknown,
  strictMessage,
  strictProblems,
} from '../../api/machinery/structural.ts'
import type { WriteContext } from './registry.ts'

/**
 * Refuses mistyped fields, and drops unknown ones from `object` in place: with an error, a warning or nothing, as the
 * client asked.
 */
export function checkStructure(kind: Kind, object: KubeObject, context: WriteContext) {
  const { errors, unknown } = check(object, kind.schema)
  if (errors.length) throw decodeError(kind, errors[0]!.message)
  const duplicates = context.duplicates ?? []
  if (unknown.length === 0 && duplicates.length === 0) return
  if (context.fieldValidation === 'Strict') throw decodeError(kind, strictMessage(unknown, duplicates)!)
  if (context.fieldValidation === 'Warn') {
    for (const problem of strictProblems(unknown, duplicates)) context.warn?.(problem)
  }
  if (unknown.length) pruneUnknown(object, kind.schema)
}

/** The same for what a patch made, where upstream answers in other words. */
export function checkPatched(kind: Kind, object: KubeObject, context: WriteContext) {
  const { errors, unknown } = check(object, kind.schema)
  const duplicates = context.duplicates ?? []
  const strict = context.fieldValidation === 'Strict' ? strictMessage(unknown, duplicates) : undefined
  const message = errors.length ? errors[0]!.message : strict
  if (message === undefined) return
  const text = JSON.stringify(JSON.stringify(object))
  throw invalid({ group: '', kind: '' }, '', [
    { reason: 'FieldValueInvalid', field: 'patch', message: `Invalid value: ${text}: ${message}` },
  ])
}
