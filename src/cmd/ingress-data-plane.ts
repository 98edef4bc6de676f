/** Where the traffic of Ingresses is carried: in a thread of its own, which is loaded when it is needed. */
import type { DataPlane, DataPlaneDeps, DataPlaneEvents } from '../gateway/data-plane.ts'
import type { CountedElsewhere } from '../gateway/metrics.ts'

export interface DataPlaneWish extends Pick<DataPlaneDeps, 'ports' | 'clock' | 'logger'> {
  /** Addresses of this machine to listen at. */
  readonly hosts?: readonly string[]
  /** Comes by a listening socket, for a program that lives in another network than the machine's. */
  socket?(port: number): Promise<{ readonly fd: number; readonly port: number }>
  readonly counted: CountedElsewhere
}

/** Makes what makes it. */
export const dataPlaneOf =
  ({ hosts, ...wish }: DataPlaneWish) =>
  async (events: DataPlaneEvents): Promise<DataPlane> => {
    const { startDataPlane } = await import('../gateway/thread/start.ts')
    return startDataPlane({ ...wish, ...events, hosts })
  }
