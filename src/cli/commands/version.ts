import { request } from '../api.ts'
import { defineCommand } from '../command.ts'

export const version = defineCommand({
  name: 'version',
  summary: 'show the versions of this program and of the cluster',
  options: [{ flags: '--kubeconfig <file>', description: 'the cluster to talk to' }],
  async run(_args, _options, context) {
    const server = await context
      .connect()
      .then(({ transport }) => request<{ gitVersion: string }>(transport, { method: 'GET', path: '/version' }))
      .catch(() => undefined)
    if (context.json)
      context.io.out(
        `${JSON.stringify({ tutti: context.version, node: process.version, ...(server ? { server: server.gitVersion } : {}) })}\n`,
      )
    else
      context.io.out(
        `tutti   ${context.version}\nnode    ${process.version}\nserver  ${server?.gitVersion ?? 'not running'}\n`,
      )
    return 0
  },
})
