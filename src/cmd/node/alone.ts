/** A node without its cluster: finds what runs on this machine, and ends it when it is told to stop. */
import { clearRuntime } from '../../agent/runtimes/clear.ts'
import type { RuntimeDriver } from '../../agent/runtimes/runtime.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { networkClaims } from '../../network/claim.ts'
import { removeNetwork } from '../../network/kernel-network.ts'
import type { Core } from '../core.ts'
import { stayAwake } from '../ends.ts'
import { openProcesses } from '../nodes.ts'
import { openContainers } from '../runtimes.ts'
import { hasWorkloads } from '../workloads.ts'
import { machineSettings } from './machine-settings.ts'
import { readMembership, readPlace, upOptions } from './membership.ts'

export interface AloneDeps {
  readonly dataDir: string
  readonly clock: Clock
  readonly logger: Logger
}

/** Stops every container with its grace, then removes every sandbox. */
async function clear(driver: RuntimeDriver, graceMs: number, logger: Logger): Promise<void> {
  const told = (error: unknown) => logger.warn({ err: error }, 'a workload could not be ended in order')
  const running = (await driver.listContainers()).filter(({ state }) => state === 'running')
  await Promise.all(running.map(({ id }) => driver.stopContainer(id, graceMs).catch(told)))
  await clearRuntime(driver).catch(told)
}

/** Opens the runtimes of a node that joined; `stop` ends all that runs and puts the network away, where that is wanted. */
export async function openAlone({ dataDir, clock, logger }: AloneDeps): Promise<Core> {
  const membership = readMembership(dataDir)
  const { server, nodeName } = membership
  const { containers: settings } = await machineSettings(dataDir)
  const deps = {
    options: { ...upOptions(dataDir, membership), ending: true as const },
    settings,
    nodeName,
    mode: 'kernel',
    clock,
    logger,
  }
  const containers = await openContainers(deps)
  const drivers = [...containers.drivers, await openProcesses(deps, containers)]
  const claims = networkClaims()
  const sleepAgain = stayAwake()
  return {
    server,
    nodeName,
    network: { mode: 'kernel', notes: [] },
    runtimes: [],
    notes: [],
    async stop({ workloads, timeoutMs }) {
      if (workloads !== 'run on') await Promise.all(drivers.map(driver => clear(driver, timeoutMs, logger)))
      if (workloads === 'stop') await containers.leave()
      for (const driver of drivers) await driver.close()
      sleepAgain()
      if (workloads !== 'stop') return
      const place = readPlace(dataDir)
      // Another cluster may have the network by now.
      if (place && !claims.owner(dataDir, hasWorkloads))
        await removeNetwork({ dataDir, podCidr: place.podCidr, serviceCidr: place.network.serviceCidr })
      claims.release(dataDir)
    },
  }
}
