/** The watch for want on a real machine, with the pods of this node. */

import { join } from 'node:path'
import { isFinished } from '../../api/kinds/core/finished.ts'
import type { EventRecorder } from '../../client/event-recorder.ts'
import { nodeTarget } from '../../client/event-target.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { measurePod } from '../disk/measure.ts'
import type { ImageDisk } from '../node/image-disk.ts'
import type { NodeImages } from '../node/images.ts'
import type { Machine } from '../node/machine.ts'
import { allContainers, isCritical } from '../pod/object.ts'
import type { PodWorker } from '../pod/worker.ts'
import type { RuntimeDriver } from '../runtimes/runtime.ts'
import { usageOfContainers } from '../statistics/containers.ts'
import { isOfImages, SIGNALS, type Threshold } from './thresholds.ts'
import { type Candidate, usedOnDisk } from './victims.ts'
import { createPressureWatch, type EvictionSettings, type PressureWatch } from './watch.ts'

export interface StartPressureDeps {
  readonly nodeName: string
  readonly machine: Machine
  readonly settings: EvictionSettings
  readonly podsDirectory: string
  readonly images: Pick<NodeImages, 'prune'>
  readonly imageDisk: ImageDisk | undefined
  readonly events: EventRecorder
  readonly clock: Clock
  readonly logger: Logger
  workers(): Iterable<PodWorker>
}

interface RunningPod extends Candidate {
  readonly worker: PodWorker
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, each) => total + each, 0)

/** Undefined where nothing is to be watched: no threshold is set, or the machine is not there. */
export function startPressure(deps: StartPressureDeps, signal: AbortSignal): PressureWatch | undefined {
  const { machine, settings, podsDirectory, nodeName, clock, logger } = deps
  const usage = machine.usage?.bind(machine)
  if (!usage || !settings.thresholds.length) return undefined
  const evicted = new WeakSet<PodWorker>()
  const diskOf = ({ signal }: Threshold) => (deps.imageDisk && isOfImages(signal) ? 'images' : 'own')

  async function measured(worker: PodWorker, { signal }: Threshold): Promise<RunningPod> {
    const pod = worker.pod()
    const { resource } = SIGNALS[signal]
    if (resource === 'memory' || resource === 'pids') {
      const of = resource === 'memory' ? 'memoryWorkingSet' : 'processes'
      const containers = new Map((await usageOfContainers(worker)).map(each => [each.name, each[of]]))
      return { worker, pod, used: sum(containers.values()), containers }
    }
    // Files are not counted: who has written the most is taken to have the most of them.
    const usage = await measurePod(pod, worker, join(podsDirectory, worker.uid))
    const driver = worker.place()?.driver
    const where = !deps.imageDisk ? 'one disk' : driver && deps.imageDisk.isOf(driver) ? 'two disks' : 'the other disk'
    return { worker, pod, used: usedOnDisk(signal, usage, where), containers: usage.containers }
  }

  const watch = createPressureWatch<RunningPod>({
    clock,
    logger,
    settings,
    usage,
    diskOf,
    async makeRoom(threshold) {
      // Images are used as long as there are containers of them.
      await Promise.allSettled([...deps.workers()].map(worker => worker.makeRoom()))
      // A runtime's images take room on the disk on which they lie, and nothing of another.
      const isMeant = (driver: RuntimeDriver) =>
        !deps.imageDisk || deps.imageDisk.isOf(driver) === (diskOf(threshold) === 'images')
      await deps.images.prune(isMeant)
    },
    candidates(threshold) {
      const may = [...deps.workers()].filter(worker => {
        const pod = worker.pod()
        return !isFinished(pod) && !isCritical(pod) && !pod.metadata?.deletionTimestamp && !evicted.has(worker)
      })
      const unknown = (worker: PodWorker): RunningPod => ({
        worker,
        pod: worker.pod(),
        used: undefined,
        containers: new Map(),
      })
      return Promise.all(may.map(worker => measured(worker, threshold).catch(() => unknown(worker))))
    },
    evict({ worker }, refusal, graceMs) {
      evicted.add(worker)
      worker.evict(refusal, graceMs)
    },
    hasEnded: ({ worker }) => allContainers(worker.pod()).every(({ name }) => !worker.instances(name)?.length),
    reclaiming(resource) {
      deps.events.event(nodeTarget(nodeName), 'Warning', 'EvictionThresholdMet', `Attempting to reclaim ${resource}`)
    },
  })
  signal.addEventListener('abort', watch.close, { once: true })
  return watch
}
