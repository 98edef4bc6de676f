/**
 * Volumes where nothing can be mounted (portable mode): a process finds them through variables, and paths below a
 * mountPath that stand in its command, arguments and variables are turned into the volume's own place.
 */
import type { Mount } from '../runtime.ts'

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** `text` with a leading mountPath (or `file:` and a mountPath) replaced by the place of its volume. */
export function portableText(text: string, mounts: readonly Mount[]): string {
  let best: Mount | undefined
  for (const mount of mounts) {
    const { containerPath } = mount
    if (text !== containerPath && !text.startsWith(`${containerPath}/`)) continue
    if (!best || containerPath.length > best.containerPath.length) best = mount
  }
  return best ? best.hostPath + text.slice(best.containerPath.length) : text
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
