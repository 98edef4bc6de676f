import type { Deployment as Type } from '../../generated/types/apps-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { equalJson } from '../../machinery/merge-patch.ts'
import { ageColumn, nameColumn, selectorText, text, wide } from '../columns.ts'
import { defaultPodSpec } from '../core/pod-spec.defaults.ts'
import { dropGatedFields } from '../core/pod-spec.gates.ts'
import { namedTemplateWarnings } from '../core/pod-warnings.ts'
import { raiseGeneration } from '../generation.ts'
import { containerNames, images } from '../workload-columns.ts'
import { deploymentRules } from './deployment.validate.ts'

/** apps/v1 Deployment. */
export type Deployment = Type

export const Deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  singular: 'deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.apps.v1.Deployment',
  status: true,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  generation: true,
  defaults({ spec }) {
    if (!spec) return
    spec.replicas ??= 1
    const strategy = (spec.strategy ??= {})
    strategy.type ||= 'RollingUpdate'
    if (strategy.type === 'RollingUpdate') {
      const rolling = (strategy.rollingUpdate ??= {})
      rolling.maxUnavailable ??= '25%'
      rolling.maxSurge ??= '25%'
    }
    spec.revisionHistoryLimit ??= 10
    spec.progressDeadlineSeconds ??= 600
    defaultPodSpec(spec.template?.spec)
  },
  prepareCreate(deployment) {
    deployment.status = {}
    dropGatedFields(deployment.spec?.template?.spec)
  },
  // Annotations are copied to the replica sets, so a change of theirs is a generation too.
  prepareUpdate(deployment, old, { subresource }) {
    dropGatedFields(deployment.spec?.template?.spec)
    if (subresource === 'status') {
      const { labels: _, ...metadata } = deployment.metadata ?? {}
      const { labels } = old.metadata ?? {}
      deployment.metadata = labels ? { ...metadata, labels } : metadata
    }
    if (subresource !== '' || equalJson(deployment.metadata?.annotations ?? {}, old.metadata?.annotations ?? {})) return
    raiseGeneration(deployment, old)
  },
  rules: deploymentRules,
  warnings: namedTemplateWarnings(({ spec }) => spec?.template),
  columns: [
    nameColumn,
    text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    text('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
    text('Available', ({ status }) => status?.availableReplicas ?? 0),
    ageColumn,
    wide('Containers', ({ spec }) => containerNames(spec?.template)),
    wide('Images', ({ spec }) => images(spec?.template)),
    wide('Selector', ({ spec }) => selectorText(spec?.selector)),
  ],
})
