/** What pods ask of a runtime that plain processes cannot be given. */
import { type ContainerConfig, RuntimeError } from '../runtime.ts'

/** What of a container's security context the driver has nothing for; undefined: nothing. */
export function unconfinable({
  seccomp,
  appArmor,
  seLinux,
  procMount,
}: Pick<ContainerConfig, 'seccomp' | 'appArmor' | 'seLinux' | 'procMount'>): string | undefined {
  if (seccomp && seccomp.type !== 'Unconfined') return `a seccomp profile (${seccomp.type})`
  if (appArmor?.type === 'Localhost') return `the AppArmor profile ${appArmor.localhost}`
  if (seLinux) return 'SELinux options'
  return procMount === 'Unmasked' ? 'procMount: Unmasked' : undefined
}

/** Refuses a container that asks for more than it would get. Throws `RuntimeError`. */
export function checkConfinement(config: Parameters<typeof unconfinable>[0]): void {
  const asked = unconfinable(config)
  if (!asked) return
  throw new RuntimeError(
    'CreateContainerError',
    `the process runtime cannot give ${asked} to a container: remove it, or run the pod with a container runtime`,
  )
}
