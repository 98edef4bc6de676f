/** Where the data plane's thread begins. */
import { parentPort, workerData } from 'node:worker_threads'
import { realClock } from '../../lib/clock.ts'
import { listenOn } from '../../lib/listen.ts'
import type { Logger } from '../../lib/log.ts'
import { openDataPlane } from '../data-plane.ts'
import { gatewayMetrics } from '../metrics.ts'
import type { LogLevel, Order, PortName, Report, ThreadData } from './messages.ts'

const { hosts, ports } = workerData as ThreadData
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

const metrics = gatewayMetrics()
const dataPlane = openDataPlane({
  ...{ ports, metrics, clock: realClock, logger: loggerWith({}) },
  listen: (port, take) => listenOn(hosts, port, take),
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
    case 'end':
      await dataPlane.close(order.graceMs)
      say({ type: 'ended' })
      return parentPort!.close()
  }
}
parentPort!.on('message', (order: Order) => void obey(order))
