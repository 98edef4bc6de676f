/** CSI on a node: its drivers, and the volumes that they make. */

import { type CsiDriversDeps, followDrivers } from './drivers.ts'
import { type CsiVolumes, type CsiVolumesDeps, createCsiVolumes } from './volumes.ts'

/** Follows drivers until `signal` aborts. */
export function startCsi(
  deps: CsiDriversDeps & Omit<CsiVolumesDeps, 'drivers' | 'signal'>,
  signal: AbortSignal,
): CsiVolumes {
  return createCsiVolumes({ ...deps, drivers: followDrivers(deps, signal), signal })
}
