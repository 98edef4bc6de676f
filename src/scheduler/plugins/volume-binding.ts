import { whenChanged } from '../affected.ts'
import type { Plugin } from '../plugin.ts'
import { claimsOf, findVolumes, readClaims } from '../pod-volumes.ts'

/**
 * A pod goes where the volumes of its claims can be reached, and where claims that wait for it find a volume or one can
 * be made. It waits until its other claims are bound.
 */
export const volumeBinding: Plugin = {
  name: 'VolumeBinding',
  weight: 0,
  prepare({ pod }, { snapshot, storage }) {
    if (claimsOf(pod).length === 0) return undefined
    let version = -1
    let claims: ReturnType<typeof readClaims> = ''
    const current = () => {
      if (version !== storage.version()) claims = readClaims(pod, storage)
      version = storage.version()
      return claims
    }
    return {
      get refusal() {
        const read = current()
        return typeof read === 'string' ? read : undefined
      },
      filter(slot) {
        const read = current()
        if (typeof read === 'string') return read
        const found = findVolumes(read, snapshot.node(slot)!, storage)
        return 'reasons' in found ? found.reasons : undefined
      },
      hopeless: () => true,
      affected: whenChanged(storage.version),
    }
  },
  wokenBy: ['node', 'storage'],
  mayHelp: () => true,
}
