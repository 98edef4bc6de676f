import type { DaemonSet as Type } from '../../generated/types/apps-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, count, formatLabels, formatSelector, nameColumn, text, wide } from '../columns.ts'
import { defaultPodSpec } from '../core/pod-spec.defaults.ts'
import { dropGatedFields } from '../core/pod-spec.gates.ts'
import { templateWarnings } from '../core/pod-warnings.ts'
import { sameValue } from '../rules.ts'
import { containerNames, images } from '../workload-columns.ts'
import { daemonSetRules } from './daemon-set.validate.ts'

/** apps/v1 DaemonSet. */
export type DaemonSet = Type

/** Counts the changes of the template; clients of old read it. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

function setTemplateGeneration(set: DaemonSet, generation: number): void {
  const annotations = { ...set.metadata?.annotations, [TEMPLATE_GENERATION]: String(generation) }
  set.metadata = { ...set.metadata, annotations }
}

export const DaemonSet = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  singular: 'daemonset',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.apps.v1.DaemonSet',
  status: true,
  generation: true,
  defaults(set) {
    const { spec } = set
    if (!spec) return
    if (!set.metadata?.annotations?.[TEMPLATE_GENERATION]) setTemplateGeneration(set, 0)
    const strategy = (spec.updateStrategy ??= {})
    strategy.type ||= 'RollingUpdate'
    if (strategy.type === 'RollingUpdate') {
      const rolling = (strategy.rollingUpdate ??= {})
      rolling.maxUnavailable ??= 1
      rolling.maxSurge ??= 0
    }
    spec.revisionHistoryLimit ??= 10
    defaultPodSpec(spec.template?.spec)
  },
  prepareCreate(set) {
    setTemplateGeneration(set, 1)
    dropGatedFields(set.spec?.template?.spec)
    set.status = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 }
  },
  prepareUpdate(set, old, { subresource }) {
    dropGatedFields(set.spec?.template?.spec)
    if (subresource === 'status') {
      // It counts what is in the spec, which stays.
      const kept = old.metadata?.annotations?.[TEMPLATE_GENERATION]
      if (kept !== undefined) setTemplateGeneration(set, Number(kept))
    }
    if (subresource !== '') return
    const before = Number(old.metadata?.annotations?.[TEMPLATE_GENERATION] ?? 1)
    setTemplateGeneration(set, sameValue(set.spec?.template, old.spec?.template) ? before : before + 1)
  },
  rules: daemonSetRules,
  warnings: templateWarnings(({ spec }) => spec?.template),
  columns: [
    nameColumn,
    count('Desired', ({ status }) => status?.desiredNumberScheduled),
    count('Current', ({ status }) => status?.currentNumberScheduled),
    count('Ready', ({ status }) => status?.numberReady),
    count('Up-to-date', ({ status }) => status?.updatedNumberScheduled),
    count('Available', ({ status }) => status?.numberAvailable),
    text('Node Selector', ({ spec }) => formatLabels(spec?.template?.spec?.nodeSelector)),
    ageColumn,
    wide('Containers', ({ spec }) => containerNames(spec?.template)),
    wide('Images', ({ spec }) => images(spec?.template)),
    wide('Selector', ({ spec }) => formatSelector(spec?.selector)),
  ],
})
