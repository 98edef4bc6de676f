import type { NodeLimits } from '../../agent/node/machine.ts'
import { configurationIn, loadConfiguration, NO_CONFIGURATION } from '../configuration/configuration.ts'
import { type ContainerSettings, containersOf } from '../configuration/containers.ts'
import { nodeLimits } from '../configuration/node-limits.ts'

/** What DATA_DIR/config.yaml says of the machine: a node takes nothing else of it. Rejects with `UserError`. */
export async function machineSettings(
  dataDir: string,
): Promise<{ readonly limits: NodeLimits; readonly containers: ContainerSettings }> {
  const file = configurationIn(dataDir)
  const loaded = file ? await loadConfiguration(file) : NO_CONFIGURATION
  return { limits: nodeLimits(loaded), containers: containersOf(loaded) }
}
