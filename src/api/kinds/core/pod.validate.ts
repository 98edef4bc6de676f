/** Rules of Pod: what a new one must be, and the few fields that may change (k8s.io/kubernetes `pkg/apis/core/validation`). */
import type { Container, Pod, PodSpec, Toleration } from '../../generated/types/core-v1.ts'
import { forbidden, invalid, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import type { Errors } from '../rules.ts'
import { sameSaid, sameValue } from '../rules.ts'
import { checkGatedUpdate, withNodeAffinity } from './pod-gated.validate.ts'
import { checkResize } from './pod-resize.ts'
import { checkPodSpec } from './pod-spec.validate.ts'
import { checkPodStatus } from './pod-status.validate.ts'
import { checkTolerations } from './scheduling.validate.ts'

const MAX_INT32 = 2147483647

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

function checkImages(containers: readonly Container[] | undefined, path: string, errors: Errors): void {
  for (const [index, { image = '' }] of (containers ?? []).entries()) {
    if (image.trim() !== image) {
      errors.push(invalid(`${path}[${index}].image`, image, 'must not have leading or trailing whitespace'))
    }
  }
}

/** A token needs an account that it is for. */
function checkTokenVolumes(spec: PodSpec, errors: Errors): void {
  if (spec.serviceAccountName) return
  for (const [index, { projected }] of (spec.volumes ?? []).entries()) {
    for (const [at, { serviceAccountToken }] of (projected?.sources ?? []).entries()) {
      if (!serviceAccountToken) continue
      const path = `spec.volumes[${index}].projected.sources[${at}].serviceAccountToken`
      errors.push(forbidden(path, 'must not be specified when serviceAccountName is not set'))
    }
  }
}

function checkPod(pod: Pod, old: Pod | undefined, errors: Errors): void {
  checkPodSpec(pod.spec ?? { containers: [] }, true, 'spec', errors, old?.spec)
  if (!pod.spec) return
  checkTokenVolumes(pod.spec, errors)
  for (const [index, { name: _, image, ...other }] of (pod.spec.volumes ?? []).entries()) {
    if (image && !image.reference && !Object.keys(other).length)
      errors.push(required(`spec.volumes[${index}].image.reference`))
  }
  checkImages(pod.spec.containers, 'spec.containers', errors)
  checkImages(pod.spec.initContainers, 'spec.initContainers', errors)
}

function checkCreate({ spec }: Pod, errors: Errors): void {
  if (spec?.ephemeralContainers?.length) {
    errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'))
  }
  if (spec?.nodeName && spec.schedulingGates?.length) {
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
  }
}

function checkDeadline(next: PodSpec, old: PodSpec, errors: Errors): void {
  const [now, before] = [next.activeDeadlineSeconds, old.activeDeadlineSeconds]
  if (before === undefined) return
  const path = 'spec.activeDeadlineSeconds'
  if (now === undefined) errors.push(invalid(path, now, 'must not update from a positive integer to nil value'))
  else if (before < now) errors.push(invalid(path, now, 'must be less than or equal to previous value'))
}

function checkAddedTolerations(next: PodSpec, old: PodSpec, errors: Errors): void {
  const plain = ({ tolerationSeconds: _, ...rest }: Toleration) => rest
  const kept = (one: Toleration) => next.tolerations?.some(other => sameValue(plain(other), plain(one)))
  if (!(old.tolerations ?? []).every(kept)) {
    errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'))
  } else checkTolerations(next.tolerations, 'spec.tolerations', errors)
}

function checkDeletedGates(next: PodSpec, old: PodSpec, errors: Errors): void {
  const known = new Set(old.schedulingGates?.map(({ name }) => name))
  for (const [index, { name }] of (next.schedulingGates ?? []).entries()) {
    if (known.has(name)) continue
    const why = `only deletion is allowed, but found new scheduling gate '${name}'`
    errors.push(forbidden(`spec.schedulingGates[${index}].name`, why))
  }
}

const withImages = (containers: Container[] | undefined, old: Container[] | undefined) =>
  containers?.map((container, index) => ({ ...container, image: old?.[index]?.image }))

/** The spec with everything put back that may change. */
function withoutChangeable(next: PodSpec, old: PodSpec) {
  const gated = Boolean(old.schedulingGates?.length)
  const kept: Record<string, unknown> = { ...next }
  const put = (field: keyof PodSpec) => {
    kept[field] = old[field]
  }
  kept.containers = withImages(next.containers, old.containers)
  kept.initContainers = withImages(next.initContainers, old.initContainers)
  put('activeDeadlineSeconds')
  put('tolerations')
  put('schedulingGates')
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && next.terminationGracePeriodSeconds === 1) {
    put('terminationGracePeriodSeconds')
  }
  if (gated) {
    put('nodeSelector')
    kept.affinity = withNodeAffinity(next.affinity, old.affinity)
  }
  return kept
}

/** Fields that differ, for the message. */
const changed = (next: object, old: object) =>
  [...new Set([...Object.keys(next), ...Object.keys(old)])]
    .filter(key => !sameSaid(next[key as keyof typeof next], old[key as keyof typeof old]))
    .sort()

function checkUpdate({ spec: next }: Pod, { spec: old }: Pod, errors: Errors): void {
  if (!next || !old) return
  for (const field of ['containers', 'initContainers'] as const) {
    if ((next[field]?.length ?? 0) !== (old[field]?.length ?? 0)) {
      errors.push(forbidden(`spec.${field}`, 'pod updates may not add or remove containers'))
      return
    }
  }
  const deadline = next.activeDeadlineSeconds
  if (deadline !== undefined && (deadline < 0 || deadline > MAX_INT32)) {
    errors.push(invalid('spec.activeDeadlineSeconds', deadline, `must be between 0 and ${MAX_INT32}, inclusive`))
    return
  }
  checkDeadline(next, old, errors)
  checkAddedTolerations(next, old, errors)
  checkDeletedGates(next, old, errors)
  if (old.schedulingGates?.length) checkGatedUpdate(next, old, errors)
  const rest = withoutChangeable(next, old)
  if (sameSaid(rest, old)) return
  const difference = changed(rest, old)
    .map(field => `  spec.${field}: ${JSON.stringify(old[field as keyof PodSpec])} -> ${JSON.stringify(rest[field])}`)
    .join('\n')
  errors.push(forbidden('spec', `pod updates may not change fields other than ${UPDATABLE}\n${difference}`))
}

function checkEphemeralUpdate({ spec: next }: Pod, { spec: old }: Pod, errors: Errors): void {
  const path = 'spec.ephemeralContainers'
  for (const before of old?.ephemeralContainers ?? []) {
    const now = next?.ephemeralContainers?.find(({ name }) => name === before.name)
    const what = `existing ephemeral containers ${JSON.stringify(before.name)}`
    if (!now) errors.push(forbidden(path, `${what} may not be removed\n`))
    else if (!sameValue(now, before)) errors.push(forbidden(path, `${what} may not be changed\n`))
  }
}

/** The image of a pod that a node has from a file of its own. */
const isMirror = (pod: Pod) => pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined

/** What such pods have not. */
const PARTS: Readonly<Record<string, string>> = {
  ephemeralcontainers: 'static pods do not support ephemeral containers',
  resize: 'static pods cannot be resized',
}

export const podRules: readonly Rule<Pod>[] = [
  (next, old, { subresource }) => {
    const errors: Errors = []
    if (old && subresource === 'status') {
      checkPodStatus(next, old, errors)
      return errors
    }
    if (old && isMirror(old) && PARTS[subresource]) return [forbidden('[]', PARTS[subresource])]
    // An update that leaves the spec as it is changes metadata only: nothing new can be wrong with it.
    if (old && sameSaid(next.spec, old.spec)) return errors
    checkPod(next, old, errors)
    if (!old) checkCreate(next, errors)
    else if (subresource === '') checkUpdate(next, old, errors)
    else if (subresource === 'ephemeralcontainers') checkEphemeralUpdate(next, old, errors)
    else if (subresource === 'resize') checkResize(next, old, errors)
    return errors
  },
]
