/**
 * Volumes where nothing can be mounted (portable mode): a process finds them through variables, and paths at or below a
 * mountPath that stand in its command, arguments and variables are turned into the volume's own place. What a program
 * has built in, or makes up itself, is not seen: such a one reads the variables.
 */
import type { Mount } from '../runtime.ts'

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** What may stand before and after a path in a command line or a value. */
const BEFORE = '(^|[\\s"\'`=:;,<>(])'
const AFTER = '(?=$|[\\s"\'`:;,<>)/])'

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** `text` with every path at or below a mountPath turned into the place of its volume; the longest mountPath wins. */
export function portableText(text: string, mounts: readonly Mount[]): string {
  if (mounts.length === 0 || !text.includes('/')) return text
  const places = new Map(mounts.map(mount => [mount.containerPath.replace(/(.)\/+$/, '$1'), mount.hostPath]))
  const paths = [...places.keys()].filter(path => path !== '/').sort((a, b) => b.length - a.length)
  if (paths.length === 0) return text
  const pattern = new RegExp(`${BEFORE}(${paths.map(literal).join('|')})${AFTER}`, 'g')
  return text.replace(pattern, (_, before: string, path: string) => before + places.get(path))
}

/** `TUTTI_VOLUME_<NAME>` for each volume, and `TUTTI_SERVICE_ACCOUNT` for the folder of the token. */
export function portableEnv(mounts: readonly Mount[]): Record<string, string> {
  const env: Record<string, string> = {}
  for (const { volume, hostPath, containerPath } of mounts) {
    env[`TUTTI_VOLUME_${volume.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`] = hostPath
    if (containerPath === SERVICE_ACCOUNT) env.TUTTI_SERVICE_ACCOUNT = hostPath
  }
  return env
}
