import { isIP } from 'node:net'
import { defineCommand } from '../command.ts'
import type { Context, NodeOptions } from '../context.ts'
import { UserError } from '../context.ts'
import type { Instance } from '../instance.ts'
import { isMember } from '../membership.ts'
import { nodeNameOf } from '../node-name.ts'
import { paint } from '../output/color.ts'
import { labelsOf, noteLines } from '../output/labels.ts'
import { withProgress } from '../output/progress.ts'
import { lastingInstance } from '../stop.ts'

const TOKEN_HINT = 'On the server: tutti token create, and run here what it prints.'

/** `HOST:PORT` or `[ADDRESS]:PORT`, with the usual port where none is said. Throws `UserError`. */
function addressOf(text: string): string {
  const [, host, port = '6443'] = /^(?:https:\/\/)?(\[[\da-fA-F:]+\]|[^\s/:]+)(?::(\d+))?\/?$/.exec(text) ?? []
  if (!host || Number(port) < 1 || Number(port) > 65535)
    throw new UserError(`${JSON.stringify(text)} is no address of a server: 192.168.1.10:6443`, TOKEN_HINT)
  return `${host}:${port}`
}

/** What a person reads when the node is there. */
export function reportNode({ io, json }: Context, instance: Instance, took?: number): void {
  if (json) {
    io.out(`${JSON.stringify(instance)}\n`)
    return
  }
  const label = labelsOf(io)
  const seconds = took === undefined ? '' : ` (${(took / 1000).toFixed(1)} s)`
  const lines = [
    `${paint(io, 'bold', `Tutti ${instance.version}: this machine is a node of ${instance.server}`)}${seconds}`,
    `${label('node')}${instance.nodeName}, Ready`,
    `${label('network')}${instance.network.mode}`,
    `${label('runtimes')}${instance.runtimes.join(', ')}`,
    ...noteLines(io, instance),
    `${paint(io, 'dim', 'Next:')} on the server: kubectl get nodes · here: tutti status`,
  ]
  io.out(`${lines.join('\n')}\n`)
}

/** Starts the node of a data directory, in the background or in the foreground, and tells of it. */
export async function startNode(context: Context, options: NodeOptions, foreground: boolean): Promise<void> {
  const { launcher, clock, signal } = context
  const began = clock.now()
  const tell = (instance: Instance) => reportNode(context, instance, clock.now() - began)
  if (foreground) return launcher.runInForeground(options, tell, signal)
  tell(await withProgress(context, 'starting', say => launcher.start(options, say, signal)))
}

export const join = defineCommand({
  name: 'join',
  arguments: '<address>',
  summary: 'make this machine a node of a cluster on another one',
  help: `The whole command is printed by "tutti token create" on the server:

  tutti join 192.168.1.10:6443 --token abcdef.0123456789abcdef --ca-cert-hash sha256:…

After it "tutti up" starts the node again, "tutti down" stops it, "tutti delete" takes it off this machine.`,
  options: [
    { flags: '--token <token>', description: 'what lets this machine in' },
    { flags: '--ca-cert-hash <pin>', description: "pin of the cluster's CA, sha256:…", repeatable: true },
    { flags: '--node-name <name>', description: 'name of the node (default: the host name)' },
    { flags: '--node-ip <address>', description: 'address by which the others reach this machine' },
    {
      flags: '--runtime <runtime>',
      description: 'what runs workloads',
      choices: ['auto', 'containerd', 'process'],
    },
    { flags: '--runtime-endpoint <address>', description: 'CRI socket of a container runtime that runs already' },
    { flags: '--foreground', description: 'stay in the foreground and log to the terminal' },
  ],
  async run([address = ''], options, context) {
    const { dataDir } = context
    const running = await lastingInstance(context)
    if (running?.role === 'node') {
      reportNode(context, running)
      return 0
    }
    if (running)
      throw new UserError(
        `a cluster of its own runs in ${dataDir}`,
        'Remove it (tutti delete), or name another folder with --data-dir.',
      )
    if (isMember(dataDir)) {
      await startNode(context, { role: 'node', dataDir }, options.foreground === true)
      return 0
    }
    if (!options.token) throw new UserError('--token is missing', TOKEN_HINT)
    const nodeIp = options.nodeIp as string | undefined
    if (nodeIp !== undefined && !isIP(nodeIp))
      throw new UserError(`--node-ip ${JSON.stringify(nodeIp)} must be an address of this machine`)
    const wanted: NodeOptions = {
      role: 'node',
      dataDir,
      join: {
        address: addressOf(address),
        token: String(options.token),
        pins: (options.caCertHash as string[] | undefined) ?? [],
      },
      ...(options.nodeName !== undefined && { nodeName: nodeNameOf(options.nodeName) }),
      ...(nodeIp && { address: nodeIp }),
      ...(options.runtime !== undefined && { runtime: options.runtime as NonNullable<NodeOptions['runtime']> }),
      ...(options.runtimeEndpoint !== undefined && { runtimeEndpoint: String(options.runtimeEndpoint) }),
    }
    await startNode(context, wanted, options.foreground === true)
    return 0
  },
})
