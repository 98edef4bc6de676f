import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { defineCommand, type Options } from '../command.ts'
import type { Context, Exposure, UpOptions } from '../context.ts'
import { UserError } from '../context.ts'
import type { Instance } from '../instance.ts'
import { writeKubeconfigs } from '../kubeconfig.ts'
import { isMember } from '../membership.ts'
import { nodeNameOf } from '../node-name.ts'
import { paint } from '../output/color.ts'
import { labelsOf, noteLines } from '../output/labels.ts'
import { withProgress } from '../output/progress.ts'
import { unmetBy } from '../second-up.ts'
import { lastingInstance } from '../stop.ts'
import { reportNode, startNode } from './join.ts'

/** Simulated nodes in one process that were tried. */
const MAX_NODES = 1000

function portOf(flag: string, value: unknown): number {
  const port = Number(value)
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new UserError(`${flag} ${String(value)} must be a number from 0 to 65535`)
  return port
}

/** The ports of Ingresses that were asked for. Throws `UserError`. */
function ingressPortsOf({ httpPort, httpsPort }: Options): NonNullable<UpOptions['ingressPorts']> {
  return {
    ...(httpPort !== undefined && { http: portOf('--http-port', httpPort) }),
    ...(httpsPort !== undefined && { https: portOf('--https-port', httpsPort) }),
  }
}

/** A number of nodes. Throws `UserError`. */
function nodesOf(value: unknown): number {
  const nodes = Number(value)
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES)
    throw new UserError(`--nodes ${String(value)} must be a number from 1 to ${MAX_NODES}`)
  return nodes
}

/** How other machines shall reach the cluster; undefined where nothing was said of it. Throws `UserError`. */
function exposureOf(options: Options): Exposure | undefined {
  const address = options.advertiseAddress as string | undefined
  const listen = (options.listen as string[] | undefined) ?? []
  const names = (options.tlsSan as string[] | undefined) ?? []
  if (!address) {
    if (listen.length + names.length === 0) return undefined
    throw new UserError(
      `--${listen.length ? 'listen' : 'tls-san'} needs --advertise-address`,
      'Say by which address other machines reach this one: --advertise-address 192.168.1.10.',
    )
  }
  for (const each of [address, ...listen])
    if (!isIP(each)) throw new UserError(`${JSON.stringify(each)} must be an address of this machine`)
  return { advertiseAddress: address, listen: listen.length ? listen : [address], names }
}

/** What a person reads when the cluster is up. */
function report({ io }: Context, instance: Instance, { took, where }: { took?: number; where: readonly string[] }) {
  const label = labelsOf(io)
  const seconds = took === undefined ? '' : ` (${(took / 1000).toFixed(1)} s)`
  const lines = [
    `${paint(io, 'bold', `Tutti ${instance.version} ${took === undefined ? 'is up already' : 'is up'}`)}: ${instance.server}${seconds}`,
    `${label('node')}${instance.nodeName}, Ready`,
    `${label('network')}${instance.network.mode}`,
    `${label('runtimes')}${instance.runtimes.join(', ')}`,
    `${label('kubeconfig')}${where.join(', ')}`,
    ...noteLines(io, instance),
    `${paint(io, 'dim', 'Next:')} kubectl get nodes · tutti example shop · tutti status`,
  ]
  io.out(`${lines.join('\n')}\n`)
}

export const up = defineCommand({
  name: 'up',
  summary: 'make this machine a working cluster',
  help: `Returns when the API answers and the node is Ready. A second "up" is harmless.

Writes DATA_DIR/kubeconfig and adds the context "tutti" to your kubeconfig; with --kubeconfig FILE it writes there only.`,
  options: [
    {
      flags: '--port <port>',
      description: 'port of the API server on loopback; 0 takes a free one (default: as before, at first 6443)',
    },
    {
      flags: '--network <mode>',
      description: 'how pods are connected (default: as before, at first auto)',
      choices: ['auto', 'kernel', 'rootless', 'portable'],
    },
    {
      flags: '--runtime <runtime>',
      description: 'what runs workloads (default: as before, at first auto)',
      choices: ['auto', 'containerd', 'process', 'simulated'],
    },
    {
      flags: '--runtime-endpoint <address>',
      description: 'CRI socket of a container runtime that runs already, with its own pod network',
    },
    { flags: '--nodes <number>', description: 'simulated nodes, with --runtime simulated' },
    { flags: '--config <file>', description: 'configuration of the cluster; DATA_DIR/config.yaml where it is there' },
    {
      flags: '--http-port <port>',
      description: 'where Ingresses are served (default: 80, or 8880 without the right to it)',
    },
    { flags: '--https-port <port>', description: 'where they are served with TLS (default: 443 or 8443)' },
    {
      flags: '--advertise-address <address>',
      description: 'let other machines in, by this address of this machine; kept for the next "up"',
    },
    { flags: '--listen <address>', description: 'listen here instead, e.g. 0.0.0.0', repeatable: true },
    { flags: '--tls-san <name>', description: 'a further name or address of the server', repeatable: true },
    { flags: '--node-name <name>', description: "name of this machine's node (default: its host name)" },
    { flags: '--kubeconfig <file>', description: 'write the kubeconfig to this file only' },
    { flags: '--foreground', description: 'stay in the foreground and log to the terminal' },
  ],
  async run(_args, options, context) {
    if (isMember(context.dataDir)) {
      const node = await lastingInstance(context)
      if (node) reportNode(context, node)
      else await startNode(context, { role: 'node', dataDir: context.dataDir }, options.foreground === true)
      return 0
    }
    const exposure = exposureOf(options)
    const wanted: UpOptions = {
      dataDir: context.dataDir,
      ...(options.port !== undefined && { port: portOf('--port', options.port) }),
      ...(options.network !== undefined && { network: options.network as 'auto' }),
      ...(options.runtime !== undefined && { runtime: options.runtime as 'auto' }),
      ...(options.nodes !== undefined && { nodes: nodesOf(options.nodes) }),
      ...(options.runtimeEndpoint !== undefined && { runtimeEndpoint: String(options.runtimeEndpoint) }),
      ...(options.config !== undefined && { config: resolve(String(options.config)) }),
      ...(options.nodeName !== undefined && { nodeName: nodeNameOf(options.nodeName) }),
      ...(exposure && { exposure }),
      ingressPorts: ingressPortsOf(options),
    }
    const file = options.kubeconfig as string | undefined
    const finish = async (instance: Instance, took?: number) => {
      const { written, notes } = await writeKubeconfigs(context, instance, file)
      if (context.json) context.io.out(`${JSON.stringify({ ...instance, kubeconfig: written })}\n`)
      else
        report(
          context,
          { ...instance, notes: [...instance.notes, ...notes] },
          { ...(took === undefined ? {} : { took }), where: written },
        )
    }
    const running = await lastingInstance(context)
    if (running) {
      const unmet = unmetBy(running, options)
      await finish(unmet ? { ...running, notes: [...running.notes, unmet] } : running)
      return 0
    }
    const began = context.clock.now()
    if (options.foreground) {
      await context.launcher.runInForeground(
        wanted,
        instance => void finish(instance, context.clock.now() - began),
        context.signal,
      )
      return 0
    }
    const instance = await withProgress(context, 'starting', say => context.launcher.start(wanted, say, context.signal))
    await finish(instance, context.clock.now() - began)
    return 0
  },
})
