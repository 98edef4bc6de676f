import type { Namespace as Type } from '../../generated/types/core-v1.ts'
import { defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { namespaceRules } from './namespace.validate.ts'

/** core/v1 Namespace. */
export type Namespace = Type

/** Every namespace can be selected by its name. */
function labelName({ metadata }: Namespace): void {
  if (metadata?.name) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
}

export const Namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  namespaced: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  schema: 'io.k8s.api.core.v1.Namespace',
  status: true,
  subresources: [{ name: 'finalize', verbs: ['update'] }],
  nameFormat: 'dns-label',
  defaults(namespace) {
    labelName(namespace)
    namespace.status ??= {}
    namespace.status.phase ||= 'Active'
  },
  named: labelName,
  prepareCreate(namespace) {
    namespace.status = { phase: 'Active' }
    namespace.spec ??= {}
    const finalizers = namespace.spec.finalizers ?? []
    namespace.spec.finalizers = finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes']
  },
  // Finalizers of the spec change through the finalize subresource only.
  prepareUpdate(namespace, old, { subresource }) {
    if (subresource === '' && old.spec) namespace.spec = { ...namespace.spec, ...old.spec }
  },
  selectable: {
    'status.phase': namespace => namespace.status?.phase ?? '',
  },
  rules: namespaceRules,
  columns: [nameColumn, text('Status', namespace => namespace.status?.phase ?? ''), ageColumn],
})
