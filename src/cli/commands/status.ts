import { existsSync, readFileSync } from 'node:fs'
import type { Node } from '../../api/kinds/core/node.ts'
import type { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import { humanDuration } from '../../api/machinery/time.ts'
import { getList, request } from '../api.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { type Instance, readInstance } from '../instance.ts'
import { paint } from '../output/color.ts'
import { summarize } from '../output/ingress.ts'
import { labelsOf, noteLines } from '../output/labels.ts'

/** Resident memory of a process in bytes; undefined where there is no /proc. */
function residentBytes(pid: number): number | undefined {
  const file = `/proc/${pid}/status`
  if (!existsSync(file)) return undefined
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(file, 'latin1'))
  return match ? Number(match[1]) * 1024 : undefined
}

/** Objects of a kind that are named one by one. */
const MOST_LINES = 10

/** What to type to learn more of an object, named `namespace/name`. */
function whyCommand(kind: string, key: string): string {
  const [namespace, name] = key.split('/')
  return `tutti why ${kind} ${name} -n ${namespace}`
}

/** A node sees itself and its own pods; the rest is the server's to tell. */
async function nodeStatus(context: Context, instance: Instance): Promise<void> {
  const { io, clock, dataDir } = context
  const { transport } = await context.connect()
  const label = labelsOf(io)
  let state: string
  let pods: readonly Pod[] = []
  try {
    const node = await request<Node>(transport, { method: 'GET', path: `/api/v1/nodes/${instance.nodeName}` })
    pods = await getList<Pod>(transport, '/api/v1/pods', { fieldSelector: `spec.nodeName=${instance.nodeName}` })
    state = isReady(node) ? 'Ready' : 'not Ready'
    if (node.spec?.unschedulable) state += ', takes no new pods'
  } catch (error) {
    state = `the server does not answer: ${(error as Error).message}`
  }
  if (context.json) return io.out(`${JSON.stringify({ running: true, ...instance, state, pods: pods.length })}\n`)
  const lines = [
    paint(io, 'bold', `Tutti ${instance.version}: a node of ${instance.server}`),
    `${label('up')}${humanDuration(clock.now() - Date.parse(instance.startedAt))}, pid ${instance.pid}`,
    `${label('node')}${instance.nodeName}, ${state}`,
    `${label('network')}${instance.network.mode}`,
    `${label('runtimes')}${instance.runtimes.join(', ')}`,
    `${label('pods')}${pods.length}`,
    ...noteLines(io, instance),
    `${label('data')}${dataDir}`,
  ]
  io.out(`${lines.join('\n')}\n`)
}

export const status = defineCommand({
  name: 'status',
  summary: 'show the cluster: address, nodes, network, workloads, what this machine cannot give',
  async run(_args, _options, context) {
    const { io, clock, dataDir } = context
    const instance = readInstance(dataDir)
    if (!instance) {
      if (context.json) io.out(`${JSON.stringify({ running: false, dataDir })}\n`)
      else io.out(`Tutti is not running in ${dataDir}. Start it: tutti up\n`)
      return 1
    }
    if (instance.role === 'node') {
      await nodeStatus(context, instance)
      return 0
    }
    const { transport } = await context.connect()
    const [nodes, pods, ingresses] = await Promise.all([
      getList<Node>(transport, '/api/v1/nodes'),
      getList<Pod>(transport, '/api/v1/pods'),
      getList<Ingress>(transport, '/apis/networking.k8s.io/v1/ingresses'),
    ])
    const ingress = summarize(ingresses)
    const ready = pods.filter(isReady)
    const done = pods.filter(pod => pod.status?.phase === 'Succeeded')
    const troubled = pods.filter(pod => !ready.includes(pod) && !done.includes(pod))
    const memory = residentBytes(instance.pid)
    if (context.json) {
      io.out(
        `${JSON.stringify({ running: true, ...instance, nodes: nodes.map(node => ({ name: node.metadata?.name, ready: isReady(node) })), pods: { ready: ready.length, completed: done.length, notReady: troubled.map(pod => `${pod.metadata?.namespace}/${pod.metadata?.name}`) }, residentBytes: memory, ...(ingresses.length > 0 && { ingress }) })}\n`,
      )
      return 0
    }
    const label = labelsOf(io)
    io.out(`${paint(io, 'bold', `Tutti ${instance.version}`)}: ${instance.server}\n`)
    io.out(
      `${label('up')}${humanDuration(clock.now() - Date.parse(instance.startedAt))}, pid ${instance.pid}${memory ? `, ${Math.round(memory / 1e6)} MB` : ''}\n`,
    )
    for (const node of nodes) {
      const state = isReady(node)
      io.out(
        `${label('node')}${node.metadata?.name}, ${state ? paint(io, 'green', 'Ready') : paint(io, 'red', 'not Ready')}\n`,
      )
    }
    io.out(`${label('network')}${instance.network.mode}\n${label('runtimes')}${instance.runtimes.join(', ')}\n`)
    io.out(`${label('pods')}${ready.length} ready, ${done.length} completed, ${troubled.length} not ready\n`)
    for (const pod of troubled.slice(0, MOST_LINES)) {
      const name = `${pod.metadata?.namespace}/${pod.metadata?.name}`
      io.out(`${label('')}${paint(io, 'yellow', name)}: ${whyCommand('pod', name)}\n`)
    }
    if (troubled.length > MOST_LINES) io.out(`${label('')}and ${troubled.length - MOST_LINES} more\n`)
    if (ingress.place) io.out(`${label('ingress')}${ingress.place}\n`)
    for (const name of ingress.waiting.slice(0, MOST_LINES))
      io.out(`${label('')}${paint(io, 'yellow', name)}: ${whyCommand('ingress', name)}\n`)
    for (const port of ingress.refused)
      io.out(
        `${label('note')}port ${port} could not be had for Ingresses: tutti down, then tutti up with another --http-port or --https-port\n`,
      )
    for (const line of noteLines(io, instance)) io.out(`${line}\n`)
    io.out(`${label('data')}${dataDir}\n`)
    return 0
  },
})
