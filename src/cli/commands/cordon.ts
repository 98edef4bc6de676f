import { type CommandSpec, defineCommand } from '../command.ts'
import { setUnschedulable } from '../drain/cordon.ts'

const marking = (name: string, summary: string, unschedulable: boolean): CommandSpec =>
  defineCommand({
    name,
    arguments: '<nodes...>',
    summary,
    options: [{ flags: '--kubeconfig <file>', description: 'the cluster to talk to' }],
    async run(nodes, _options, context) {
      const { transport } = await context.connect()
      for (const node of nodes) context.io.out(`${await setUnschedulable(transport, node, unschedulable)}\n`)
      return 0
    },
  })

export const cordon = marking('cordon', 'let a node take no new pods', true)
export const uncordon = marking('uncordon', 'let a node take pods again', false)
