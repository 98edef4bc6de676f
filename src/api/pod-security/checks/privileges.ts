/** What a container may be given of the powers of root. */
import type { Container } from '../../generated/types/core-v1.ts'
import {
  type Check,
  type CheckPod,
  containers,
  containersOf,
  namesOf,
  quoted,
  setters,
  sorted,
  unlessOwnUsers,
  unlessWindows,
} from '../check.ts'

export const privileged: Check = {
  id: 'privileged',
  level: 'baseline',
  versions: [
    [
      0,
      ({ spec }) => {
        const names = namesOf(spec, container => container.securityContext?.privileged === true)
        if (!names.length) return undefined
        return { reason: 'privileged', detail: `${containers(names)} must not set securityContext.privileged=true` }
      },
    ],
  ],
}

const noEscalation: CheckPod = ({ spec }) => {
  const names = namesOf(spec, container => container.securityContext?.allowPrivilegeEscalation !== false)
  if (!names.length) return undefined
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${containers(names)} must set securityContext.allowPrivilegeEscalation=false`,
  }
}

export const allowPrivilegeEscalation: Check = {
  id: 'allowPrivilegeEscalation',
  level: 'restricted',
  versions: [
    [8, noEscalation],
    [25, unlessWindows(noEscalation)],
  ],
}

const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

const added = (container: Container) => container.securityContext?.capabilities?.add ?? []

/** Containers that add what is not allowed, and the sentence about them; '' for none. */
function addingOthers(spec: Parameters<typeof containersOf>[0], allowed: (name: string) => boolean): string {
  const names = namesOf(spec, container => added(container).some(each => !allowed(each)))
  if (!names.length) return ''
  const bad = sorted(
    containersOf(spec)
      .flatMap(added)
      .filter(each => !allowed(each)),
  )
  return `${containers(names)} must not include ${quoted(bad)} in securityContext.capabilities.add`
}

export const capabilitiesBaseline: Check = {
  id: 'capabilities_baseline',
  level: 'baseline',
  versions: [
    [
      0,
      ({ spec }) => {
        const detail = addingOthers(spec, name => DEFAULT_CAPABILITIES.has(name))
        return detail ? { reason: 'non-default capabilities', detail } : undefined
      },
    ],
  ],
}

const dropAll: CheckPod = ({ spec }) => {
  const keeping = namesOf(spec, container => !container.securityContext?.capabilities?.drop?.includes('ALL'))
  const missing = keeping.length ? `${containers(keeping)} must set securityContext.capabilities.drop=["ALL"]` : ''
  const details = [missing, addingOthers(spec, name => name === 'NET_BIND_SERVICE')].filter(Boolean)
  return details.length ? { reason: 'unrestricted capabilities', detail: details.join('; ') } : undefined
}

export const capabilitiesRestricted: Check = {
  id: 'capabilities_restricted',
  level: 'restricted',
  overrides: 'capabilities_baseline',
  versions: [
    [22, dropAll],
    [25, unlessWindows(dropAll)],
  ],
}

const nonRoot: CheckPod = ({ spec }) => {
  const reason = 'runAsNonRoot != true'
  const own = spec.securityContext?.runAsNonRoot
  const bad = namesOf(spec, container => container.securityContext?.runAsNonRoot === false)
  if (own === false || bad.length)
    return { reason, detail: `${setters(own === false, bad)} must not set securityContext.runAsNonRoot=false` }
  if (own) return undefined
  const silent = namesOf(spec, container => container.securityContext?.runAsNonRoot === undefined)
  if (!silent.length) return undefined
  return { reason, detail: `pod or ${containers(silent)} must set securityContext.runAsNonRoot=true` }
}

export const runAsNonRoot: Check = {
  id: 'runAsNonRoot',
  level: 'restricted',
  versions: [
    [0, nonRoot],
    [35, unlessOwnUsers(nonRoot)],
  ],
}

const notUserZero: CheckPod = ({ spec }) => {
  const names = namesOf(spec, container => container.securityContext?.runAsUser === 0)
  const pod = spec.securityContext?.runAsUser === 0
  if (!pod && !names.length) return undefined
  return { reason: 'runAsUser=0', detail: `${setters(pod, names)} must not set runAsUser=0` }
}

export const runAsUser: Check = {
  id: 'runAsUser',
  level: 'restricted',
  versions: [
    [23, notUserZero],
    [35, unlessOwnUsers(notUserZero)],
  ],
}
