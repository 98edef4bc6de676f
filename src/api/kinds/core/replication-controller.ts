import type { ReplicationController as Type } from '../../generated/types/core-v1.ts'
import { invalid, required } from '../../machinery/field-error.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { checkCounts, checkRunningTemplate } from '../apps/workload.validate.ts'
import { ageColumn, count, formatLabels, nameColumn, wide } from '../columns.ts'
import { check, nonNegative, onObject, onStatus } from '../rules.ts'
import { containerNames, images } from '../workload-columns.ts'
import { defaultPodSpec } from './pod-spec.defaults.ts'
import { dropGatedFields } from './pod-spec.gates.ts'
import { namedTemplateWarnings } from './pod-warnings.ts'
import { adoptLabels } from './template-labels.ts'

/** core/v1 ReplicationController. */
export type ReplicationController = Type

const isEmpty = (record: Record<string, string> | undefined) => Object.keys(record ?? {}).length === 0

export const ReplicationController = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  singular: 'replicationcontroller',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.ReplicationController',
  status: true,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  generation: true,
  defaults(controller) {
    const spec = (controller.spec ??= {})
    spec.replicas ??= 1
    const labels = spec.template?.metadata?.labels
    if (labels && isEmpty(spec.selector)) spec.selector = { ...labels }
    adoptLabels(controller)
    defaultPodSpec(spec.template?.spec)
  },
  // A write of the status may take the labels away; what is kept is read with its defaults.
  prepareUpdate(controller) {
    adoptLabels(controller)
    dropGatedFields(controller.spec?.template?.spec)
  },
  prepareCreate(controller) {
    controller.status = { replicas: 0 }
    dropGatedFields(controller.spec?.template?.spec)
  },
  selectable: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  rules: [
    onObject(
      nonNegative('spec.replicas', 'spec.minReadySeconds'),
      check<ReplicationController>(({ spec }, errors) => {
        if (isEmpty(spec?.selector)) errors.push(required('spec.selector'))
        if (!spec?.template) {
          errors.push(required('spec.template'))
          return
        }
        const labels = spec.template.metadata?.labels
        if (!Object.entries(spec.selector ?? {}).every(([key, value]) => labels?.[key] === value)) {
          errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'))
        }
        checkRunningTemplate(spec.template, 'ReplicationController', errors)
      }),
    ),
    onStatus(
      check<ReplicationController>(({ status }, errors, old) =>
        checkCounts(status, old?.status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'], errors),
      ),
    ),
  ],
  nameFormat: 'long-name',
  warnings: namedTemplateWarnings(({ spec }) => spec?.template),
  columns: [
    nameColumn,
    count('Desired', ({ spec }) => spec?.replicas),
    count('Current', ({ status }) => status?.replicas),
    count('Ready', ({ status }) => status?.readyReplicas),
    ageColumn,
    wide('Containers', ({ spec }) => containerNames(spec?.template)),
    wide('Images', ({ spec }) => images(spec?.template)),
    wide('Selector', ({ spec }) => formatLabels(spec?.selector)),
  ],
})
