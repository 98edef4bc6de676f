/** What pods ask of a runtime that plain processes cannot be given, and what can: kernel parameters of their network. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type ContainerConfig, RuntimeError, type SandboxConfig } from '../runtime.ts'
import type { Platform } from './platform.ts'

const run = promisify(execFile)

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

/** Sets the pod's kernel parameters in its network namespace. Throws `RuntimeError` for those that are not of a network. */
export async function applySysctls({ tools }: Platform, { sysctls, netns }: SandboxConfig): Promise<void> {
  for (const [name, value] of Object.entries(sysctls ?? {})) {
    if (!name.startsWith('net.') || !netns || !tools.nsenter) {
      const why = `the process runtime cannot set the kernel parameter ${JSON.stringify(name)} for one pod alone`
      throw new RuntimeError('NotSupported', `${why}: remove it, or run the pod with a container runtime`)
    }
    // A name of its own can have dots in it where a slash separates: `net/ipv4/conf/eth0.1/forwarding`.
    const file = `/proc/sys/${name.replace(/[./]/g, each => (each === '.' ? '/' : '.'))}`
    try {
      await run(tools.nsenter, [`--net=${netns}`, '/bin/sh', '-c', 'printf %s "$1" >"$2"', 'sysctl', value, file])
    } catch (error) {
      const { stderr = '', message } = error as Error & { stderr?: string }
      throw new RuntimeError('InvalidSysctl', `cannot set ${name} to ${value}: ${stderr.trim() || message}`, {
        cause: error,
      })
    }
  }
}
