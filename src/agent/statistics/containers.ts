/** What the containers of a pod use now, by the word of its runtime. */
import { withEphemeral } from '../pod/object.ts'
import type { PodWorker } from '../pod/worker.ts'
import type { RunningContainer } from './statistics.ts'

/** Of every container that runs. Rejects where the runtime does not answer. */
export async function usageOfContainers(worker: PodWorker): Promise<RunningContainer[]> {
  const driver = worker.place()?.driver
  const running = withEphemeral(worker.pod())
    .map(({ name }) => worker.instances(name)?.[0])
    .filter(each => each !== undefined)
    .filter(each => each.state === 'running')
  const found = running.map(async (each): Promise<RunningContainer | undefined> => {
    const stats = await driver?.stats(each.id)
    const { image, startedAt, resources } = each
    return stats && { ...stats, image, startedAt, ...(resources && { resources }) }
  })
  return (await Promise.all(found)).filter(each => each !== undefined)
}
