import { defineCommand } from '../command.ts'
import { UserError } from '../context.ts'

export const top = defineCommand({
  name: 'top',
  arguments: '[kind] [names...]',
  summary: 'resource use of nodes and pods (not built yet)',
  async run() {
    throw new UserError(
      'the metrics API is not built yet',
      'Until then the system shows what processes use, e.g. ps or htop.',
    )
  },
})
