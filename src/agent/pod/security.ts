/** What a securityContext asks of the kernel, for the pod and for each of its containers (API doc: SecurityContext). */
import { join } from 'node:path'
import type { Container, Pod, SecurityContext } from '../../api/generated/types/core-v1.ts'
import type { ContainerConfig, FoundImage, SandboxConfig, SecurityProfile } from '../runtimes/runtime.ts'
import { podTitle } from './deps.ts'
import { ConfigError } from './env.ts'
import { allContainers } from './object.ts'

type Profile = NonNullable<SecurityContext['seccompProfile']>

/** `folder` is where profiles of that name lie. Throws `ConfigError` where a name is wanted and missing. */
function seccompOf(profile: Profile | undefined, folder: string): SecurityProfile | undefined {
  if (!profile) return undefined
  if (profile.type !== 'Localhost') return { type: profile.type as SecurityProfile['type'] }
  if (!profile.localhostProfile) {
    throw new ConfigError('localhostProfile must be set if seccompProfile type is Localhost.')
  }
  return { type: 'Localhost', localhost: join(folder, profile.localhostProfile) }
}

function appArmorOf(profile: SecurityContext['appArmorProfile']): SecurityProfile | undefined {
  if (!profile) return undefined
  const type = profile.type as SecurityProfile['type']
  return type === 'Localhost' ? { type, localhost: profile.localhostProfile ?? '' } : { type }
}

/** Whether groups that the image has for its user are not the pod's. */
export const wantsStrictGroups = ({ spec }: Pod): boolean =>
  spec?.securityContext?.supplementalGroupsPolicy === 'Strict'

/** Group ids that processes of the pod have besides their own. */
const supplementalGroups = (pod: Pod): number[] => {
  const { fsGroup, supplementalGroups: groups = [] } = pod.spec?.securityContext ?? {}
  return [...new Set([...(fsGroup === undefined ? [] : [fsGroup]), ...groups])]
}

/** Refuses root where that is not to be; `image` says whom it runs as unasked. Throws `ConfigError`. */
function checkNonRoot(pod: Pod, container: Container, runAsUser: number | undefined, image: FoundImage) {
  const title = `(pod: ${JSON.stringify(podTitle(pod))}, container: ${container.name})`
  if (runAsUser === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${title}`)
  if (runAsUser !== undefined) return
  const { user = 0 } = image
  if (typeof user === 'string') {
    const what = `image has non-numeric user (${user}), cannot verify user is non-root`
    throw new ConfigError(`container has runAsNonRoot and ${what} ${title}`)
  }
  if (user === 0) throw new ConfigError(`container has runAsNonRoot and image will run as root ${title}`)
}

/** The container's part. Throws `ConfigError` (CreateContainerConfigError). */
export function containerSecurity(
  pod: Pod,
  container: Container,
  image: FoundImage,
  seccompDirectory: string,
): Pick<
  ContainerConfig,
  | 'runAsUser'
  | 'runAsGroup'
  | 'supplementalGroups'
  | 'strictGroups'
  | 'privileged'
  | 'readOnlyRootFilesystem'
  | 'capabilities'
  | 'noNewPrivileges'
  | 'seccomp'
  | 'appArmor'
  | 'seLinux'
  | 'procMount'
> {
  const shared = pod.spec?.securityContext
  const own = container.securityContext
  const runAsUser = own?.runAsUser ?? shared?.runAsUser
  const runAsGroup = own?.runAsGroup ?? shared?.runAsGroup
  if (own?.runAsNonRoot ?? shared?.runAsNonRoot) checkNonRoot(pod, container, runAsUser, image)
  const seccomp = seccompOf(own?.seccompProfile ?? shared?.seccompProfile, seccompDirectory)
  const appArmor = appArmorOf(own?.appArmorProfile ?? shared?.appArmorProfile)
  const seLinux = own?.seLinuxOptions ?? shared?.seLinuxOptions
  const procMount = own?.procMount === 'Unmasked' ? own.procMount : undefined
  return {
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    supplementalGroups: supplementalGroups(pod),
    ...(wantsStrictGroups(pod) ? { strictGroups: true } : {}),
    privileged: own?.privileged ?? false,
    readOnlyRootFilesystem: own?.readOnlyRootFilesystem ?? false,
    ...(own?.capabilities ? { capabilities: own.capabilities } : {}),
    ...(own?.allowPrivilegeEscalation === false ? { noNewPrivileges: true } : {}),
    ...(seccomp ? { seccomp } : {}),
    ...(appArmor ? { appArmor } : {}),
    ...(seLinux ? { seLinux } : {}),
    ...(procMount ? { procMount } : {}),
  }
}

/** Slashes and dots are both taken in names of kernel parameters; which one comes first says which. */
export function sysctlName(name: string): string {
  const separator = /[./]/.exec(name)?.[0]
  if (separator !== '/') return name
  return name.replace(/[./]/g, each => (each === '/' ? '.' : '/'))
}

/** The pod's part, of which its sandbox is made. */
export function sandboxSecurity(
  pod: Pod,
): Pick<
  SandboxConfig,
  'sysctls' | 'runAsUser' | 'runAsGroup' | 'supplementalGroups' | 'privileged' | 'seLinux' | 'seccomp'
> {
  const own = pod.spec?.securityContext
  const sysctls = (own?.sysctls ?? []).map(({ name, value }) => [sysctlName(name), value] as const)
  const groups = supplementalGroups(pod)
  const privileged = allContainers(pod).some(each => each.securityContext?.privileged)
  return {
    ...(sysctls.length > 0 ? { sysctls: Object.fromEntries(sysctls) } : {}),
    ...(own?.runAsUser === undefined ? {} : { runAsUser: own.runAsUser }),
    ...(own?.runAsGroup === undefined ? {} : { runAsGroup: own.runAsGroup }),
    ...(groups.length > 0 ? { supplementalGroups: groups } : {}),
    ...(privileged ? { privileged } : {}),
    ...(own?.seLinuxOptions ? { seLinux: own.seLinuxOptions } : {}),
    // Whatever the containers want: nothing but a waiting process runs in the sandbox itself.
    seccomp: { type: 'RuntimeDefault' },
  }
}
