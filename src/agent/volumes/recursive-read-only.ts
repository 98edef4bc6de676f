import type { VolumeMount } from '../../api/generated/types/core-v1.ts'

/**
 * Whether a mount is read-only with all that is mounted below it (KEP-3857), where `supported` says that the runtime can.
 * Throws an `Error` for what cannot be.
 */
export function isRecursiveReadOnly(mount: VolumeMount, supported: boolean): boolean {
  const { name, readOnly, recursiveReadOnly = 'Disabled', mountPropagation = 'None' } = mount
  if (recursiveReadOnly === 'Disabled') return false
  const title = `volume ${JSON.stringify(name)} requested recursive read-only mode, but it is`
  if (!readOnly) throw new Error(`${title} not read-only`)
  if (mountPropagation !== 'None')
    throw new Error(`${title} not compatible with propagation ${JSON.stringify(mountPropagation)}`)
  if (recursiveReadOnly === 'Enabled' && !supported) throw new Error(`${title} not supported by the runtime`)
  return supported
}
