/** What the kernel's own guards look like: seccomp, AppArmor, SELinux, sysctls, /proc. */
import type { Container, SELinuxOptions, SeccompProfile } from '../../generated/types/core-v1.ts'
import {
  type Check,
  type CheckPod,
  containers,
  containersOf,
  namesOf,
  plural,
  quoted,
  setters,
  sorted,
  unlessOwnUsers,
  unlessWindows,
} from '../check.ts'

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/'

const isSafe = (profile: { type?: string } | undefined) =>
  profile?.type === 'RuntimeDefault' || profile?.type === 'Localhost'

const seccompOf = (container: Container): SeccompProfile | undefined => container.securityContext?.seccompProfile

/** Until 1.18 annotations said it. */
const seccompAnnotations: CheckPod = ({ annotations, spec }) => {
  const keys = [SECCOMP_POD, ...containersOf(spec).map(({ name }) => SECCOMP_CONTAINER + name)]
  const bad = sorted(
    keys.flatMap(key => {
      const value = annotations[key]
      const good = value === undefined || value === 'runtime/default' || value === 'docker/default'
      return good || value.startsWith('localhost/') ? [] : [`${key}=${JSON.stringify(value)}`]
    }),
  )
  if (!bad.length) return undefined
  return { reason: 'seccompProfile', detail: `forbidden ${plural(bad.length, 'annotation')} ${bad.join(', ')}` }
}

/** Profiles that are set must be safe ones. */
const seccompSafe: CheckPod = ({ spec }) => {
  const own = spec.securityContext?.seccompProfile
  const pod = own !== undefined && !isSafe(own)
  const names = namesOf(spec, container => seccompOf(container) !== undefined && !isSafe(seccompOf(container)))
  if (!pod && !names.length) return undefined
  const all = [own, ...containersOf(spec).map(seccompOf)]
  const types = sorted(all.flatMap(profile => (profile && !isSafe(profile) ? [profile.type] : [])))
  const who = setters(pod, names)
  return {
    reason: 'seccompProfile',
    detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(types)}`,
  }
}

export const seccompBaseline: Check = {
  id: 'seccompProfile_baseline',
  level: 'baseline',
  versions: [
    [0, seccompAnnotations],
    [19, seccompSafe],
  ],
}

/** And every container must have one. */
const seccompEverywhere: CheckPod = pod => {
  const violation = seccompSafe(pod)
  if (violation || isSafe(pod.spec.securityContext?.seccompProfile)) return violation
  const silent = namesOf(pod.spec, container => seccompOf(container) === undefined)
  if (!silent.length) return undefined
  return {
    reason: 'seccompProfile',
    detail: `pod or ${containers(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  }
}

export const seccompRestricted: Check = {
  id: 'seccompProfile_restricted',
  level: 'restricted',
  overrides: 'seccompProfile_baseline',
  versions: [
    [19, seccompEverywhere],
    [25, unlessWindows(seccompEverywhere)],
  ],
}

export const appArmorProfile: Check = {
  id: 'appArmorProfile',
  level: 'baseline',
  versions: [
    [
      0,
      ({ annotations, spec }) => {
        const own = spec.securityContext?.appArmorProfile
        const profileOf = (container: Container) => container.securityContext?.appArmorProfile
        const pod = own !== undefined && !isSafe(own)
        const names = namesOf(spec, each => profileOf(each) !== undefined && !isSafe(profileOf(each)))
        const all = [own, ...containersOf(spec).map(profileOf)]
        const types = sorted(all.flatMap(profile => (profile && !isSafe(profile) ? [profile.type] : [])))
        const marked = Object.entries(annotations)
          .filter(([key, value]) => key.startsWith(APP_ARMOR) && !/^(|runtime\/default|localhost\/.*)$/s.test(value))
          .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
          .sort()
        const who = [setters(pod, names), marked.length ? plural(marked.length, 'annotation') : ''].filter(Boolean)
        if (!who.length) return undefined
        const values = [...types, ...marked]
        return {
          reason: plural(values.length, 'forbidden AppArmor profile'),
          detail: `${who.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
        }
      },
    ],
  ],
}

const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t']

const seLinux =
  (types: readonly string[]): CheckPod =>
  ({ spec }) => {
    const isBad = (options: SELinuxOptions | undefined) =>
      options !== undefined && (!types.includes(options.type ?? '') || Boolean(options.user) || Boolean(options.role))
    const of = (container: Container) => container.securityContext?.seLinuxOptions
    const own = spec.securityContext?.seLinuxOptions
    const names = namesOf(spec, container => isBad(of(container)))
    if (!isBad(own) && !names.length) return undefined
    const all = [own, ...containersOf(spec).map(of)]
    const bad = sorted(all.flatMap(each => (each && !types.includes(each.type ?? '') ? [each.type ?? ''] : [])))
    const what = [
      bad.length ? `${plural(bad.length, 'type')} ${quoted(bad)}` : '',
      all.some(each => each?.user) ? 'user may not be set' : '',
      all.some(each => each?.role) ? 'role may not be set' : '',
    ].filter(Boolean)
    const who = setters(isBad(own), names)
    return {
      reason: 'seLinuxOptions',
      detail: `${who} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}`,
    }
  }

export const seLinuxOptions: Check = {
  id: 'seLinuxOptions',
  level: 'baseline',
  versions: [
    [0, seLinux(SELINUX_TYPES)],
    [31, seLinux([...SELINUX_TYPES, 'container_engine_t'])],
  ],
}

const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
]
const SYSCTLS_27 = [...SYSCTLS, 'net.ipv4.ip_local_reserved_ports']
const SYSCTLS_29 = [
  ...SYSCTLS_27,
  ...['keepalive_time', 'fin_timeout', 'keepalive_intvl', 'keepalive_probes'].map(name => `net.ipv4.tcp_${name}`),
]
const SYSCTLS_32 = [...SYSCTLS_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']

const onlySysctls =
  (allowed: readonly string[]): CheckPod =>
  ({ spec }) => {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter(name => !allowed.includes(name))
    return names.length ? { reason: 'forbidden sysctls', detail: names.join(', ') } : undefined
  }

export const sysctls: Check = {
  id: 'sysctls',
  level: 'baseline',
  versions: [
    [0, onlySysctls(SYSCTLS)],
    [27, onlySysctls(SYSCTLS_27)],
    [29, onlySysctls(SYSCTLS_29)],
    [32, onlySysctls(SYSCTLS_32)],
  ],
}

const defaultProc: CheckPod = ({ spec }) => {
  const of = (container: Container) => container.securityContext?.procMount
  const isBad = (container: Container) => of(container) !== undefined && of(container) !== 'Default'
  const names = namesOf(spec, isBad)
  if (!names.length) return undefined
  const types = sorted(containersOf(spec).filter(isBad).map(of) as string[])
  return {
    reason: 'procMount',
    detail: `${containers(names)} must not set securityContext.procMount to ${quoted(types)}`,
  }
}

export const procMountBaseline: Check = {
  id: 'procMount',
  level: 'baseline',
  versions: [
    [0, defaultProc],
    [35, unlessOwnUsers(defaultProc)],
  ],
}

export const procMountRestricted: Check = {
  id: 'procMount_restricted',
  level: 'restricted',
  overrides: 'procMount',
  versions: [[35, defaultProc]],
}
