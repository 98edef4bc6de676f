/** What a service costs who speaks through it: the same between two pods, by the pod's own address and by a service's. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ServiceProxy } from '../../src/network/service-proxy/proxy.ts'
import { makeMachine } from '../../src/network/testing/machine.ts'
import { median, progress, quantile, type Row } from './measure.ts'
import { NODE } from './own-network.ts'
import type { Question } from './traffic.ts'

const CLIENT = '10.244.0.5'
const SERVER = '10.244.0.6'
const SERVICE = '10.96.200.1'
/** Each is a pair, the one first and then the other: what the machine does besides meets both. */
const TURNS = 80
const MS = 150

const TRAFFIC = join(import.meta.dirname, 'traffic.ts')

/** Leads the service to the pod. */
const lead = (proxy: ServiceProxy) =>
  proxy.reset(
    new Map([
      [
        'default/stream',
        [
          {
            id: 'default/stream:80',
            protocol: 'tcp',
            frontends: [{ kind: 'cluster', address: SERVICE, port: 80 }],
            backends: [{ address: SERVER, port: 8080 }],
          },
        ],
      ],
    ]),
  )

/** Measures in a network that `enterOwnNetwork` made; `folder` is for namespaces. */
export async function serviceTraffic(proxy: ServiceProxy, folder: string): Promise<Row[]> {
  const pod = (link: string, address: string) =>
    makeMachine(folder, {
      link,
      addresses: [`${address}/32`],
      here: `route add ${address}/32 dev ${link} src ${NODE}`,
      there: `route add ${NODE}/32 dev eth0\nroute add default via ${NODE} dev eth0`,
    })
  const machines = [await pod('tutti-a', CLIENT), await pod('tutti-b', SERVER)]
  const inside = (link: string, ...args: string[]) =>
    spawn('nsenter', [`--net=${join(folder, link)}`, process.execPath, TRAFFIC, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_NO_WARNINGS: '1' },
    })
  const server = inside('tutti-b', 'serve', SERVER)
  await once(server.stdout, 'data')
  await lead(proxy)
  const client = inside('tutti-a', 'ask')
  const answers = createInterface(client.stdout)[Symbol.asyncIterator]()
  const ask = async (what: Question['what'], direct: boolean) => {
    const place = direct ? { host: SERVER, port: 8080 } : { host: SERVICE, port: 80 }
    client.stdin.write(`${JSON.stringify({ what, ms: MS, ...place } satisfies Question)}\n`)
    return Number((await answers.next()).value)
  }

  const rows: Row[] = []
  for (const [what, unit, scale] of [
    ['stream', 'MB/s', 1e6],
    ['connections', '1/s', 1],
  ] as const) {
    const [direct, through, ratios]: [number[], number[], number[]] = [[], [], []]
    await ask(what, true)
    for (let turn = 0; turn < TURNS; turn++) {
      progress(`${what}, turn ${turn + 1} of ${TURNS}`)
      const order = turn % 2 === 0 ? [true, false] : [false, true]
      for (const each of order) (each ? direct : through).push((await ask(what, each)) / scale)
      ratios.push(through.at(-1)! / direct.at(-1)!)
    }
    const name = what === 'stream' ? 'one stream between two pods' : 'new connections between two pods, 8 side by side'
    ratios.sort((a, b) => a - b)
    rows.push(
      {
        what: `${name}, through a service`,
        unit,
        figures: { Tutti: median(through), 'without a service': median(direct) },
      },
      { what: `the same, ratio of each turn: median of ${TURNS}`, unit: '×', figures: { Tutti: median(ratios) } },
      { what: 'the same, lower quartile', unit: '×', figures: { Tutti: quantile(ratios, 0.25) } },
      { what: 'the same, upper quartile', unit: '×', figures: { Tutti: quantile(ratios, 0.75) } },
    )
  }
  server.kill()
  client.kill()
  for (const machine of machines) await machine.close()
  return rows
}
