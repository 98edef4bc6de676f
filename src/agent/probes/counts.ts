/** How the probes of a container went. */
import type { ProbeType } from './prober.ts'

export type ProbeCounts = Readonly<Record<ProbeType, { successful: number; failed: number }>>

/** Of one that was not probed yet. */
export const noProbes = (): ProbeCounts => ({
  startup: { successful: 0, failed: 0 },
  readiness: { successful: 0, failed: 0 },
  liveness: { successful: 0, failed: 0 },
})
