/**
 * The process as Prometheus' client libraries describe it. Nothing is measured between two looks: not `prom-client`'s
 * default metrics, which keep a timer and an observer running.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { type Family, type Labels, lookedUp } from './metrics.ts'

const one = (value: number | undefined): [Labels, number][] => (value === undefined ? [] : [[{}, value]])

/** What Linux says of this process; undefined elsewhere. */
function proc<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

const maxFiles = () =>
  proc(() => Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))![1]))
const virtualBytes = () =>
  proc(() => Number(/^VmSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024)

/** Bytes through the network of this process' namespace: received, sent. */
const networkBytes = () =>
  proc(() => {
    const [names = '', values = ''] = readFileSync('/proc/self/net/netstat', 'utf8')
      .split('\n')
      .filter(line => line.startsWith('IpExt:'))
    const at = (name: string) => Number(values.split(' ')[names.split(' ').indexOf(name)])
    return { received: at('InOctets'), sent: at('OutOctets') }
  })

/** Makes the families. */
export function processMetrics(startedAt: number): Family[] {
  return [
    lookedUp('counter', 'process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', () => {
      const { user, system } = process.cpuUsage()
      return one((user + system) / 1e6)
    }),
    lookedUp('gauge', 'process_resident_memory_bytes', 'Resident memory size in bytes.', () =>
      one(process.memoryUsage.rss()),
    ),
    lookedUp('gauge', 'process_virtual_memory_bytes', 'Virtual memory size in bytes.', () => one(virtualBytes())),
    lookedUp('gauge', 'process_open_fds', 'Number of open file descriptors.', () =>
      one(proc(() => readdirSync('/proc/self/fd').length)),
    ),
    lookedUp('gauge', 'process_max_fds', 'Maximum number of open file descriptors.', () => one(maxFiles())),
    lookedUp('counter', 'process_network_receive_bytes_total', 'Bytes received over the network.', () =>
      one(networkBytes()?.received),
    ),
    lookedUp('counter', 'process_network_transmit_bytes_total', 'Bytes sent over the network.', () =>
      one(networkBytes()?.sent),
    ),
    lookedUp('gauge', 'process_start_time_seconds', 'Start time of the process since unix epoch in seconds.', () =>
      one(startedAt / 1000),
    ),
    lookedUp('gauge', 'nodejs_heap_size_used_bytes', 'Process heap size used from Node.js in bytes.', () =>
      one(process.memoryUsage().heapUsed),
    ),
  ]
}
