/** Where the traffic of Ingresses is carried: in a thread of its own, which is loaded when it is needed. */
import type { DataPlane, DataPlaneEvents } from '../gateway/data-plane.ts'
import type { ThreadDeps } from '../gateway/thread/start.ts'

/** `socket` is for a program that lives in another network than the machine's. */
export interface DataPlaneWish
  extends Pick<ThreadDeps, 'ports' | 'trustedProxies' | 'counted' | 'clock' | 'logger' | 'socket'> {
  /** Addresses of this machine to listen at. */
  readonly hosts?: readonly string[]
}

/** Makes what makes it. */
export const dataPlaneOf =
  ({ hosts, ...wish }: DataPlaneWish) =>
  async (events: DataPlaneEvents): Promise<DataPlane> => {
    const { startDataPlane } = await import('../gateway/thread/start.ts')
    return startDataPlane({ ...wish, ...events, hosts })
  }
