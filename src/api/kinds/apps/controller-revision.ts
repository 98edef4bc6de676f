import type { ControllerRevision as Type } from '../../generated/types/apps-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'

/** apps/v1 ControllerRevision. */
export type ControllerRevision = Type

/** `kind.group/name` of the object that controls it, as `deployment.apps/web`. */
function controllerName({ metadata }: ControllerRevision): string {
  const owner = metadata?.ownerReferences?.find(reference => reference.controller)
  if (!owner) return '<none>'
  const [group] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : ['']
  return `${owner.kind.toLowerCase()}${group ? `.${group}` : ''}/${owner.name}`
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
  columns: [
    nameColumn,
    text('Controller', controllerName),
    text('Revision', ({ revision }) => revision ?? 0),
    ageColumn,
  ],
})
