import type { ControllerRevision as Type } from '../../generated/types/apps-v1.ts'
import { invalid, required } from '../../machinery/field-error.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { equalJson } from '../../machinery/merge-patch.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { check, type Errors, IMMUTABLE, nonNegative } from '../rules.ts'

/** apps/v1 ControllerRevision. */
export type ControllerRevision = Type

/** `kind.group/name` of the object that controls it, as `deployment.apps/web`. */
function controllerName({ metadata }: ControllerRevision): string {
  const owner = metadata?.ownerReferences?.find(reference => reference.controller)
  if (!owner) return '<none>'
  const [group] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : ['']
  return `${owner.kind.toLowerCase()}${group ? `.${group}` : ''}/${owner.name}`
}

/** A revision is of something, and for ever. */
function checkData({ data }: ControllerRevision, errors: Errors, old: ControllerRevision | undefined): void {
  if (data === undefined || data === null) {
    if (!old) errors.push(required('data', 'data is mandatory'))
  } else if (typeof data !== 'object' || Array.isArray(data)) {
    errors.push(required('data', 'data must be a valid JSON object'))
  }
  if (old && !equalJson(data ?? null, old.data ?? null)) errors.push(invalid('data', data, IMMUTABLE))
}

export const ControllerRevision = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  singular: 'controllerrevision',
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.apps.v1.ControllerRevision',
  rules: [nonNegative('revision'), check(checkData)],
  columns: [
    nameColumn,
    text('Controller', controllerName),
    text('Revision', ({ revision }) => revision ?? 0),
    ageColumn,
  ],
})
