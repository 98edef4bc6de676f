import type { DaemonSet } from '../../api/generated/types/apps-v1.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { getList } from '../api.ts'
import { defineCommand, type Options } from '../command.ts'
import { UserError } from '../context.ts'
import { setUnschedulable } from '../drain/cordon.ts'
import { evictAll } from '../drain/evict.ts'
import { planDrain } from '../drain/plan.ts'
import { timeOption } from '../time-option.ts'

function graceOf(options: Options): number | undefined {
  if (options.gracePeriod === undefined) return undefined
  const seconds = Number(options.gracePeriod)
  if (!Number.isInteger(seconds) || seconds < -1)
    throw new UserError(`--grace-period ${String(options.gracePeriod)} must be a number of seconds`)
  return seconds < 0 ? undefined : seconds
}

export const drain = defineCommand({
  name: 'drain',
  arguments: '<nodes...>',
  summary: 'move the pods of a node elsewhere, within their disruption budgets, and let it take no new ones',
  options: [
    { flags: '--ignore-daemonsets', description: 'leave pods of DaemonSets where they are' },
    { flags: '--delete-emptydir-data', description: 'go on though what pods have in emptyDirs is lost' },
    { flags: '--force', description: 'go on though some pods have no controller that would make them again' },
    { flags: '--grace-period <seconds>', description: "for the pods to end (default: each pod's own)" },
    { flags: '--timeout <time>', description: 'give up after this, e.g. 5m (default: never)' },
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run(nodes, options, context) {
    const { io, clock, signal } = context
    const timeoutMs = timeOption('--timeout', String(options.timeout ?? '0s'), '5m, or 0s to wait for ever')
    const grace = graceOf(options)
    const { transport } = await context.connect()
    for (const node of nodes) io.out(`${await setUnschedulable(transport, node, true)}\n`)
    for (const node of nodes) {
      const [pods, sets] = await Promise.all([
        getList<Pod>(transport, '/api/v1/pods', { fieldSelector: `spec.nodeName=${node}` }),
        getList<DaemonSet>(transport, '/apis/apps/v1/daemonsets'),
      ])
      const known = new Set(sets.map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`))
      const { evict, obstacles, warnings } = planDrain(pods, known, {
        ignoreDaemonSets: options.ignoreDaemonsets === true,
        deleteEmptyDirData: options.deleteEmptydirData === true,
        force: options.force === true,
      })
      if (obstacles.length)
        throw new UserError(
          `node ${JSON.stringify(node)} was not drained: ${obstacles.join('; ')}`,
          `It takes no new pods now; tutti uncordon ${node} takes that back.`,
        )
      for (const warning of warnings) io.err(`Warning: ${warning}\n`)
      const deps = {
        transport,
        clock,
        signal,
        say: (line: string) => io.out(`${line}\n`),
        warn: (line: string) => io.err(`${line}\n`),
      }
      await evictAll(evict, { timeoutMs, ...(grace !== undefined && { grace }) }, deps)
      io.out(`node/${node} drained\n`)
    }
    return 0
  },
})
