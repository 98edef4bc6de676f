/** Security contexts of pods and containers (k8s.io/kubernetes `pkg/apis/core/validation`). */
import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext } from '../../generated/types/core-v1.ts'
import { duplicate, invalid, required, tooLong } from '../../machinery/field-error.ts'
import { checkSupported, type Errors } from '../rules.ts'
import { checkDescending } from './paths.validate.ts'

const MAX_ID = 2147483647

/** A user or a group of Linux. */
export function checkId(id: number | undefined, path: string, errors: Errors): void {
  if (id !== undefined && (id < 0 || id > MAX_ID)) {
    errors.push(invalid(path, id, `must be between 0 and ${MAX_ID}, inclusive`))
  }
}

const PROFILES = ['Localhost', 'RuntimeDefault', 'Unconfined']

function checkProfileType(type: string | undefined, field: string, path: string, errors: Errors): void {
  if (!type) errors.push(required(`${path}.type`, `type is required when ${field} is set`))
  else checkSupported(type, PROFILES, `${path}.type`, errors)
}

const LONGEST_PATH = 4095

function checkAppArmor(profile: AppArmorProfile | undefined, path: string, errors: Errors): void {
  if (!profile) return
  const { type, localhostProfile: name } = profile
  const at = `${path}.localhostProfile`
  checkProfileType(type, 'appArmorProfile', path, errors)
  if (type === 'Localhost') {
    if (name === undefined || name === '') errors.push(required(at, 'must be set when AppArmor type is Localhost'))
    else if (name.trim() !== name) errors.push(invalid(at, name, 'must not be padded with whitespace'))
    if (name && name.length > LONGEST_PATH) errors.push(tooLong(at, LONGEST_PATH))
  } else if (PROFILES.includes(type) && name !== undefined) {
    errors.push(invalid(at, name, 'can only be set when AppArmor type is Localhost'))
  }
}

function checkSeccomp(profile: SeccompProfile | undefined, path: string, errors: Errors): void {
  if (!profile) return
  const at = `${path}.localhostProfile`
  checkProfileType(profile.type, 'seccompProfile', path, errors)
  if (profile.type === 'Localhost') {
    if (profile.localhostProfile === undefined) {
      errors.push(required(at, 'must be set when seccomp type is Localhost'))
    } else checkDescending(profile.localhostProfile, at, errors)
  } else if (profile.localhostProfile !== undefined) {
    errors.push(invalid(at, profile, 'can only be set when seccomp type is Localhost'))
  }
}

/** Of one container. `hostUsers`: the pod shares the node's user namespace. */
export function checkSecurityContext(
  context: SecurityContext | undefined,
  hostUsers: boolean,
  path: string,
  errors: Errors,
): void {
  if (!context) return
  checkId(context.runAsUser, `${path}.runAsUser`, errors)
  checkId(context.runAsGroup, `${path}.runAsGroup`, errors)
  checkSupported(context.procMount, ['Default', 'Unmasked'], `${path}.procMount`, errors)
  if (hostUsers && context.procMount === 'Unmasked') {
    const wanted = '`hostUsers` must be false to use `Unmasked`'
    errors.push(invalid(`${path}.procMount`, context.procMount, wanted))
  }
  checkSeccomp(context.seccompProfile, `${path}.seccompProfile`, errors)
  checkAppArmor(context.appArmorProfile, `${path}.appArmorProfile`, errors)
  if (context.allowPrivilegeEscalation !== false) return
  const cannot = 'cannot set `allowPrivilegeEscalation` to false and'
  if (context.privileged) errors.push(invalid(path, context, `${cannot} \`privileged\` to true`))
  if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
    errors.push(invalid(path, context, `${cannot} \`capabilities.Add\` CAP_SYS_ADMIN`))
  }
}

const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/

const IPC_SYSCTL = /^(kernel[./](sem|shm(all|max|mni|_rmid_forced)?|msg(max|mnb|mni)?)$|fs[./]mqueue[./])/

/** What is set for a namespace that is the node's own would be set for the node. */
function checkHostSysctl(name: string, { hostNetwork, hostIPC }: PodSpec, path: string, errors: Errors): void {
  const not = (field: string) => errors.push(invalid(path, name, `may not be specified when '${field}' is true`))
  if (hostNetwork && /^net[./]/.test(name)) not('hostNetwork')
  else if (hostIPC && IPC_SYSCTL.test(name)) not('hostIPC')
}

/** Of the pod. `old`: what it was, in an update; what it has it may keep. */
export function checkPodSecurityContext(spec: PodSpec, old: PodSpec | undefined, path: string, errors: Errors): void {
  const { securityContext, hostPID, shareProcessNamespace } = spec
  const at = `${path}.securityContext`
  if (shareProcessNamespace && hostPID) {
    const wanted = 'ShareProcessNamespace and HostPID cannot both be enabled'
    errors.push(invalid(`${at}.shareProcessNamespace`, shareProcessNamespace, wanted))
  }
  if (!securityContext) return
  for (const field of ['fsGroup', 'runAsUser', 'runAsGroup'] as const) {
    checkId(securityContext[field], `${at}.${field}`, errors)
  }
  for (const [index, id] of (securityContext.supplementalGroups ?? []).entries()) {
    checkId(id, `${at}.supplementalGroups[${index}]`, errors)
  }
  const seen = new Set<string>()
  for (const [index, { name }] of (securityContext.sysctls ?? []).entries()) {
    const one = `${at}.sysctls[${index}].name`
    if (!name) errors.push(required(one))
    else if (name.length > 253 || !SYSCTL.test(name)) {
      errors.push(
        invalid(
          one,
          name,
          `must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`,
        ),
      )
    } else if (seen.has(name)) errors.push(duplicate(one, name))
    else checkHostSysctl(name, spec, one, errors)
    seen.add(name)
  }
  const { fsGroupChangePolicy, supplementalGroupsPolicy, seLinuxChangePolicy } = securityContext
  checkSupported(fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${at}.fsGroupChangePolicy`, errors)
  checkSupported(supplementalGroupsPolicy, ['Merge', 'Strict'], `${at}.supplementalGroupsPolicy`, errors)
  const isOpen = old?.securityContext?.seLinuxChangePolicy !== undefined
  const choices = isOpen ? ['MountOption', 'Recursive'] : ['Recursive']
  checkSupported(seLinuxChangePolicy, choices, `${at}.seLinuxChangePolicy`, errors)
  checkSeccomp(securityContext.seccompProfile, `${at}.seccompProfile`, errors)
  checkAppArmor(securityContext.appArmorProfile, `${at}.appArmorProfile`, errors)
}
