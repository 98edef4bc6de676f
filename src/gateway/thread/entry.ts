/** Where the data plane's thread begins. */
import { parentPort, workerData } from 'node:worker_threads'
import { realClock } from '../../lib/clock.ts'
import { acceptFrom, listenOn } from '../../lib/listen.ts'
import type { Logger } from '../../lib/log.ts'
import { openDataPlane } from '../data-plane.ts'
import { gatewayMetrics } from '../metrics.ts'
import type { Listen } from '../server/ports.ts'
import type { LogLevel, Order, PortName, Report, ThreadData } from './messages.ts'

const { hosts, ports, trustedProxies } = workerData as ThreadData
const say = (report: Report) => parentPort!.postMessage(report)

/** Lines are written by the main thread. */
function loggerWith(more: object): Logger {
  const at = (level: LogLevel) => (fields: object, message?: string) =>
    say({ type: 'log', level, fields: { ...more, ...fields }, message })
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: fields => loggerWith({ ...more, ...fields }),
  }
}

const waiting = new Map<number, { resolve(socket: { fd: number; port: number }): void; reject(error: Error): void }>()
let asked = 0

/** Listens with a socket that the main thread has come by. */
const listenOutside: Listen = async (wanted, take) => {
  const id = asked++
  const { fd, port } = await new Promise<{ fd: number; port: number }>((resolve, reject) => {
    waiting.set(id, { resolve, reject })
    say({ type: 'socket', id, port: wanted })
  })
  const accepting = await acceptFrom(fd, take)
  return { port, close: () => accepting.close() }
}

/** The answer to a question for a socket. */
function settle(order: Extract<Order, { id: number }>) {
  const job = waiting.get(order.id)
  waiting.delete(order.id)
  if (order.type === 'socket') job?.resolve(order)
  else job?.reject(Object.assign(new Error(order.message), { code: order.code }))
}

const metrics = gatewayMetrics()
const dataPlane = openDataPlane({
  ...{ ports, trustedProxies, metrics, clock: realClock, logger: loggerWith({}) },
  listen: hosts ? (port, take) => listenOn(hosts, port, take) : listenOutside,
})

function tellPort(port: PortName) {
  const { number, isOpen, why } = dataPlane[port]
  say({ type: 'port', port, number: number(), isOpen: isOpen(), why: why() })
}

async function obey(order: Order): Promise<void> {
  switch (order.type) {
    case 'apply':
      return dataPlane.apply(order.delta)
    case 'open':
      await dataPlane[order.port].open()
      return tellPort(order.port)
    case 'close':
      return dataPlane[order.port].close()
    case 'count':
      return say({ type: 'numbers', samples: metrics.families.map(({ samples }) => [...samples()]) })
    case 'socket':
    case 'no socket':
      return settle(order)
    case 'end':
      await dataPlane.close(order.graceMs)
      say({ type: 'ended' })
      return parentPort!.close()
  }
}
parentPort!.on('message', (order: Order) => void obey(order))
