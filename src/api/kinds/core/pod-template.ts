import type { PodTemplate as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { formatLabels, nameColumn, text } from '../columns.ts'
import { check } from '../rules.ts'
import { containerNames, images } from '../workload-columns.ts'
import { defaultPodSpec } from './pod-spec.defaults.ts'
import { dropGatedFields } from './pod-spec.gates.ts'
import { checkPodTemplate } from './pod-spec.validate.ts'
import { templateWarnings } from './pod-warnings.ts'

/** core/v1 PodTemplate. */
export type PodTemplate = Type

export const PodTemplate = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  singular: 'podtemplate',
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.PodTemplate',
  generation: true,
  defaults({ template }) {
    defaultPodSpec(template?.spec)
  },
  prepareCreate: ({ template }) => dropGatedFields(template?.spec),
  prepareUpdate: ({ template }) => dropGatedFields(template?.spec),
  rules: [check(({ template }, errors) => checkPodTemplate(template, 'template', errors))],
  warnings: templateWarnings(({ template }) => template, 'template.'),
  columns: [
    nameColumn,
    text('Containers', ({ template }) => containerNames(template)),
    text('Images', ({ template }) => images(template)),
    text('Pod Labels', ({ template }) => formatLabels(template?.metadata?.labels)),
  ],
})
