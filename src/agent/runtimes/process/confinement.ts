/** What pods ask of a runtime that plain processes cannot be given. */
import { type ContainerConfig, RuntimeError, type SandboxConfig } from '../runtime.ts'
import { keptCapabilities } from './capabilities.ts'
import type { Platform } from './platform.ts'
import { defaultFilter, type Filter, profileFilter, underFilter } from './seccomp/install.ts'
import { machineArchitecture } from './seccomp/numbers.ts'
import { isHostImage } from './store-images.ts'

/** What of a container tells its filter. */
export interface ConfinedState {
  readonly config: Pick<ContainerConfig, 'seccomp' | 'privileged' | 'capabilities' | 'noNewPrivileges'>
  /** Of a profile of its own, as it was when the container was made. */
  readonly filter?: Filter
}

type Confinement = Pick<
  ContainerConfig,
  'image' | 'seccomp' | 'appArmor' | 'seLinux' | 'procMount' | 'privileged' | 'cdiDevices'
>

/** Whether a container's processes get a filter of system calls; privileged ones never do. */
const isFiltered = ({ seccomp, privileged }: Pick<Confinement, 'seccomp' | 'privileged'>): boolean =>
  seccomp !== undefined && seccomp.type !== 'Unconfined' && !privileged

/**
 * The filter of a profile of its own, as its file is now; undefined where a container has none. Throws `RuntimeError`
 * that says what is wrong with the file.
 */
export function ownFilter(config: Pick<Confinement, 'seccomp' | 'privileged'>): Filter | undefined {
  if (!isFiltered(config) || config.seccomp?.type !== 'Localhost') return undefined
  try {
    return profileFilter(config.seccomp.localhost ?? '')
  } catch (error) {
    throw new RuntimeError('CreateContainerError', (error as Error).message, { cause: error })
  }
}

/**
 * Words that set a container's filter of system calls, and `rights`, before its command. `command` is how a program is
 * run where that runs; `begin` with which capabilities. Where processes can never gain rights, a profile of its own comes
 * last, and need not allow what setting rights takes.
 */
export function withFilter(
  { config, filter: own }: ConfinedState,
  begin: Parameters<typeof keptCapabilities>[1],
  command: (tool: 'env' | 'perl') => readonly string[],
  rights: readonly string[],
): string[] {
  if (!isFiltered(config)) return [...rights]
  const filter = own ?? defaultFilter(keptCapabilities(config.capabilities, begin))
  const words = underFilter(command('env'), command('perl'), filter)
  return own && config.noNewPrivileges ? [...rights, ...words] : [...words, ...rights]
}

/** Why no process here can get a filter; undefined: it can. */
export function filterProblem({ namespaces, tools }: Platform): string | undefined {
  if (!machineArchitecture) return `a seccomp profile on this processor (${process.arch})`
  if (!namespaces) return 'a seccomp profile without namespaces (this is the portable mode)'
  return tools.perl ? undefined : 'a seccomp profile without the program perl on this machine'
}

/** What of a container's security context the driver has nothing for; undefined: nothing. */
function unconfinable(config: Confinement, platform: Platform): string | undefined {
  const { appArmor, seLinux, procMount, cdiDevices } = config
  if (isFiltered(config)) {
    const problem = filterProblem(platform)
    if (problem) return problem
  }
  if (appArmor?.type === 'Localhost') return `the AppArmor profile ${appArmor.localhost}`
  // Where the kernel has no AppArmor, who asks for it is not admitted to the node.
  if (appArmor?.type === 'RuntimeDefault') return "an AppArmor profile of the runtime's"
  // As container runtimes: where nothing is labelled, there is nothing to give.
  if (seLinux && platform.seLinux) return 'SELinux options'
  if (cdiDevices?.length) return `the device ${cdiDevices[0]} by its CDI name`
  return procMount === 'Unmasked' ? 'procMount: Unmasked' : undefined
}

/** Refuses a container that asks for more than it would get in its pod. Throws `RuntimeError`. */
export function checkConfinement(
  config: Confinement,
  platform: Platform,
  { userNamespace }: Pick<SandboxConfig, 'userNamespace'>,
): void {
  if (userNamespace && isHostImage(config.image))
    throw new RuntimeError(
      'CreateContainerError',
      'a pod with users of its own (hostUsers: false) cannot run image "host", whose files belong to the machine\'s',
    )
  const asked = unconfinable(config, platform)
  if (!asked) return
  throw new RuntimeError(
    'CreateContainerError',
    `the process runtime cannot give ${asked} to a container: remove it, or run the pod with a container runtime`,
  )
}
