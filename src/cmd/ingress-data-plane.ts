/** Where the traffic of Ingresses is carried: in a thread of its own, where that can listen. Loaded when it is needed. */
import type { DataPlane, DataPlaneDeps, DataPlaneEvents } from '../gateway/data-plane.ts'
import { type CountedElsewhere, gatewayMetrics } from '../gateway/metrics.ts'
import type { Listen } from '../gateway/server/ports.ts'

export interface DataPlaneWish extends Pick<DataPlaneDeps, 'ports' | 'clock' | 'logger'> {
  /** Addresses of this machine to listen at. */
  readonly hosts: readonly string[]
  /** For a program that lives in another network than the machine's: only this thread can listen out there. */
  readonly listenOnHost: Listen | undefined
  readonly counted: CountedElsewhere
}

/** Makes what makes it. */
export const dataPlaneOf =
  ({ hosts, listenOnHost, counted, ...deps }: DataPlaneWish) =>
  async (events: DataPlaneEvents): Promise<DataPlane> => {
    if (!listenOnHost) {
      const { startDataPlane } = await import('../gateway/thread/start.ts')
      return startDataPlane({ ...deps, ...events, hosts, counted })
    }
    const { openDataPlane } = await import('../gateway/data-plane.ts')
    const metrics = gatewayMetrics()
    counted.from(() => counted.arrived(metrics.families.map(({ samples }) => [...samples()])))
    return openDataPlane({ ...deps, metrics, listen: listenOnHost })
  }
