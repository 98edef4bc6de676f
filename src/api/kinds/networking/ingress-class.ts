import type { IngressClass as Type } from '../../generated/types/networking-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { ingressClassRules } from './ingress-class.validate.ts'

/** networking/v1 IngressClass. */
export type IngressClass = Type

const isDefault = (annotations: Record<string, string> | undefined) =>
  annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true'

/** `kind.group/name` of the parameters. */
function parameters({ spec }: IngressClass): string {
  if (!spec?.parameters) return '<none>'
  const { kind, apiGroup, name } = spec.parameters
  return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`
}

export const IngressClass = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  singular: 'ingressclass',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.networking.v1.IngressClass',
  generation: true,
  defaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= 'Cluster'
  },
  rules: ingressClassRules,
  columns: [
    {
      ...nameColumn,
      cell: ({ metadata }) => `${metadata?.name}${isDefault(metadata?.annotations) ? ' (default)' : ''}`,
    },
    text('Controller', ({ spec }) => spec?.controller ?? ''),
    text('Parameters', parameters),
    ageColumn,
  ],
})
