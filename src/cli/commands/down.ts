import { defineCommand } from '../command.ts'
import { UserError } from '../context.ts'
import { withProgress } from '../output/progress.ts'
import { lastingInstance, stopInstance } from '../stop.ts'

export const down = defineCommand({
  name: 'down',
  summary: 'stop the workloads in order, then the cluster; its state stays',
  options: [
    {
      flags: '--keep-workloads',
      description: 'stop only Tutti: the workloads run on, and the next "up" finds them again',
    },
    { flags: '--timeout <seconds>', description: 'how long to wait for workloads to end', default: 60 },
  ],
  async run(_args, options, context) {
    const instance = await lastingInstance(context)
    if (!instance) {
      context.io.out(`Tutti is not running in ${context.dataDir}.\n`)
      return 0
    }
    const seconds = Number(options.timeout)
    if (!(seconds >= 0)) throw new UserError(`--timeout ${String(options.timeout)} must be a number of seconds`)
    await withProgress(context, options.keepWorkloads ? 'stopping' : 'stopping the workloads', () =>
      stopInstance(context, instance, { workloads: !options.keepWorkloads, timeoutMs: seconds * 1000 }),
    )
    const what = instance.role === 'node' ? 'the node' : 'everything'
    context.io.out(
      options.keepWorkloads
        ? 'Tutti is down; its workloads run on.\n'
        : `Tutti is down. "tutti up" brings ${what} back.\n`,
    )
    return 0
  },
})
