import type { Gauge, Labels } from './metrics.ts'

const one = (value: number): Iterable<readonly [Labels, number]> => [[{}, value]]

/**
 * The process as Prometheus' client libraries describe it. Nothing is measured between two looks:
 * not `prom-client`'s default metrics, which keep a timer and an observer running.
 */
export function processMetrics(startedAt: number): Gauge[] {
  return [
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'Total user and system CPU time spent in seconds.',
      read: () => {
        const { user, system } = process.cpuUsage()
        return one((user + system) / 1e6)
      },
    },
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory size in bytes.',
      read: () => one(process.memoryUsage.rss()),
    },
    {
      name: 'process_start_time_seconds',
      type: 'gauge',
      help: 'Start time of the process since unix epoch in seconds.',
      read: () => one(startedAt / 1000),
    },
    {
      name: 'nodejs_heap_size_used_bytes',
      type: 'gauge',
      help: 'Process heap size used from Node.js in bytes.',
      read: () => one(process.memoryUsage().heapUsed),
    },
  ]
}
