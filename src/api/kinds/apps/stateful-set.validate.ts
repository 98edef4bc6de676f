/** Rules of StatefulSet (k8s.io/kubernetes `pkg/apis/apps/validation`). */
import type { StatefulSet, StatefulSetSpec } from '../../generated/types/apps-v1.ts'
import type { PodTemplateSpec } from '../../generated/types/core-v1.ts'
import { forbidden, invalid, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isDns1123Label } from '../../machinery/names.ts'
import { checkClaimSpec } from '../core/persistent-volume-claim.validate.ts'
import type { Errors } from '../rules.ts'
import { check, checkFormat, checkSupported, nonNegative, onObject, onStatus, sameValue } from '../rules.ts'
import { checkCounts, checkRunningTemplate, checkSelector } from './workload.validate.ts'

/** The fields of the spec that may change, in the order of the message. */
const CHANGEABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const
const QUOTED = CHANGEABLE.map(field => `'${field}'`)
const WHAT_CHANGES = `${QUOTED.slice(0, -1).join(', ')} and ${QUOTED.at(-1)}`

/** The template as it is judged: with volumes of the claims, which may be mounted, and without names that pods get anyway. */
function judgedTemplate({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  if (!template?.spec) return template
  const { hostname: _host, subdomain: _domain, ...spec } = template.spec
  const names = new Set(volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? ''))
  const claims = [...names].map(name => ({ name, persistentVolumeClaim: { claimName: name } }))
  const others = (spec.volumes ?? []).filter(({ name }) => !names.has(name))
  return { ...template, spec: { ...spec, volumes: [...claims, ...others] } }
}

function checkPolicies({ podManagementPolicy, updateStrategy }: StatefulSetSpec, errors: Errors): void {
  if (podManagementPolicy !== 'OrderedReady' && podManagementPolicy !== 'Parallel') {
    errors.push(invalid('spec.podManagementPolicy', podManagementPolicy, "must be 'OrderedReady' or 'Parallel'"))
  }
  const type = updateStrategy?.type
  if (type !== 'RollingUpdate' && type !== 'OnDelete') {
    errors.push(invalid('spec.updateStrategy', updateStrategy, "must be 'RollingUpdate' or 'OnDelete'"))
  } else if (type === 'OnDelete' && updateStrategy?.rollingUpdate) {
    const why = "only allowed for updateStrategy 'RollingUpdate'"
    errors.push(invalid('spec.updateStrategy.rollingUpdate', updateStrategy.rollingUpdate, why))
  }
}

const RETENTION = ['Retain', 'Delete']

function checkRetention({ persistentVolumeClaimRetentionPolicy: policy }: StatefulSetSpec, errors: Errors): void {
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    checkSupported(policy?.[field], RETENTION, `spec.persistentVolumeClaimRetentionPolicy.${field}`, errors)
  }
}

function checkSpec({ spec }: StatefulSet, errors: Errors, old: StatefulSet | undefined): void {
  if (!spec) {
    errors.push(required('spec.selector'))
    return
  }
  checkPolicies(spec, errors)
  checkRetention(spec, errors)
  if (!old) {
    for (const [index, claim] of (spec.volumeClaimTemplates ?? []).entries()) {
      checkClaimSpec(claim.spec ?? {}, `spec.volumeClaimTemplates[${index}].spec`, errors)
    }
  }
  if (!old && spec.serviceName)
    checkFormat(isDns1123Label(spec.serviceName), spec.serviceName, 'spec.serviceName', errors)
  checkSelector(spec.selector, spec.template, 'statefulset', errors)
  const template = judgedTemplate(spec)
  if (!old?.spec || !sameValue(template, judgedTemplate(old.spec)))
    checkRunningTemplate(template, 'StatefulSet', errors)
  if (!old?.spec) return
  const kept: Record<string, unknown> = { ...spec }
  for (const field of CHANGEABLE) kept[field] = old.spec[field]
  if (!sameValue(kept, old.spec)) {
    errors.push(forbidden('spec', `updates to statefulset spec for fields other than ${WHAT_CHANGES} are forbidden`))
  }
}

export const statefulSetRules: readonly Rule<StatefulSet>[] = [
  onObject(
    nonNegative(
      'spec.replicas',
      'spec.minReadySeconds',
      'spec.ordinals.start',
      'spec.updateStrategy.rollingUpdate.partition',
    ),
    check(checkSpec),
  ),
  onStatus(
    check<StatefulSet>(({ status }, errors, old) =>
      checkCounts(
        status,
        old?.status,
        ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
        errors,
        'status.readyReplicas',
      ),
    ),
  ),
]
