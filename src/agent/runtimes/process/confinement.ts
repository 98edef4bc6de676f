/** What pods ask of a runtime that plain processes cannot be given. */
import { type ContainerConfig, RuntimeError } from '../runtime.ts'
import { keptCapabilities } from './capabilities.ts'
import type { Platform } from './platform.ts'
import { hasFilters, underFilter } from './seccomp/install.ts'

type Confinement = Pick<ContainerConfig, 'seccomp' | 'appArmor' | 'seLinux' | 'procMount' | 'privileged' | 'cdiDevices'>

/** Whether a container's processes get a filter of system calls; privileged ones never do. */
const isFiltered = ({ seccomp, privileged }: Pick<Confinement, 'seccomp' | 'privileged'>): boolean =>
  seccomp !== undefined && seccomp.type !== 'Unconfined' && !privileged

/**
 * What sets a container's filter of system calls, before its command; nothing where it gets none. `command` is how a
 * program is run where that runs; `begin` with which capabilities.
 */
export const filterWords = (
  config: Pick<ContainerConfig, 'seccomp' | 'privileged' | 'capabilities'>,
  begin: Parameters<typeof keptCapabilities>[1],
  command: (tool: 'env' | 'perl') => readonly string[],
): string[] =>
  isFiltered(config) ? underFilter(command('env'), command('perl'), keptCapabilities(config.capabilities, begin)) : []

/** Why no process here can get the default filter; undefined: it can. */
export function filterProblem({ namespaces, tools }: Platform): string | undefined {
  if (!hasFilters) return `a seccomp profile on this processor (${process.arch})`
  if (!namespaces) return 'a seccomp profile without namespaces (this is the portable mode)'
  return tools.perl ? undefined : 'a seccomp profile without the program perl on this machine'
}

/** What of a container's security context the driver has nothing for; undefined: nothing. */
export function unconfinable(config: Confinement, platform: Platform): string | undefined {
  const { seccomp, appArmor, seLinux, procMount, cdiDevices } = config
  if (isFiltered(config)) {
    if (seccomp?.type === 'Localhost') return 'a seccomp profile of its own (Localhost)'
    const problem = filterProblem(platform)
    if (problem) return problem
  }
  if (appArmor?.type === 'Localhost') return `the AppArmor profile ${appArmor.localhost}`
  // As container runtimes: where nothing is labelled, there is nothing to give.
  if (seLinux && platform.seLinux) return 'SELinux options'
  if (cdiDevices?.length) return `the device ${cdiDevices[0]} by its CDI name`
  return procMount === 'Unmasked' ? 'procMount: Unmasked' : undefined
}

/** Refuses a container that asks for more than it would get. Throws `RuntimeError`. */
export function checkConfinement(config: Confinement, platform: Platform): void {
  const asked = unconfinable(config, platform)
  if (!asked) return
  throw new RuntimeError(
    'CreateContainerError',
    `the process runtime cannot give ${asked} to a container: remove it, or run the pod with a container runtime`,
  )
}
