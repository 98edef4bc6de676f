/** The real agent on the simulated runtime, as a node of a cluster whose clock is set: no process, no waiting. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAgent } from '../../../src/agent/agent.ts'
import type { Machine } from '../../../src/agent/node/machine.ts'
import { annotatedScripts } from '../../../src/agent/runtimes/simulated/annotation.ts'
import { openSimulatedDriver } from '../../../src/agent/runtimes/simulated/driver.ts'
import type { Cluster } from '../../../src/cmd/testing.ts'
import { silent } from '../../../src/lib/log.ts'
import { noNetwork } from './networks.ts'

/**
 * Resolves when the node is Ready. It offers `machine`, this one when absent; `close` ends its agent, before the cluster
 * is stopped.
 */
export async function startSimulatedNode(
  cluster: Cluster,
  { name = 'n1', machine }: { readonly name?: string; readonly machine?: Machine } = {},
) {
  const { clock, transport } = cluster
  const driver = openSimulatedDriver({ clock, anyHandler: true, script: annotatedScripts, address: () => '198.18.0.1' })
  const directory = mkdtempSync(join(tmpdir(), 'tutti-simulated-'))
  const scope = new AbortController()
  const starting = startAgent(
    {
      transport,
      clock,
      logger: silent,
      nodeName: name,
      ...(machine && { machine }),
      dataDir: directory,
      runtimes: [driver],
      podNetwork: noNetwork,
      serviceEnv: () => ({}),
      addresses: [{ type: 'InternalIP', address: '198.19.0.1' }],
    },
    scope.signal,
  )
  await cluster.settle()
  const agent = await starting
  return {
    agent,
    driver,
    async close() {
      scope.abort()
      await agent.ended
      await driver.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
