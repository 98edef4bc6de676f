/** What the kernel tells of control groups, v1 and v2, whoever made them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GroupDetails, Resources } from '../runtimes/runtime.ts'

/** Where they are mounted. */
export const CGROUPS = '/sys/fs/cgroup'
/** Controllers that are used in v1, each a mounted hierarchy. */
export const V1 = ['cpu', 'cpuacct', 'memory', 'pids'] as const
export type Controller = (typeof V1)[number]

export interface GroupReader {
  readonly version: 1 | 2
  /** The folder of a controller's groups; in v2 it is the same for all. */
  base(controller: Controller): string
  /** cpu.shares (2..262144); 0 where there are none. */
  shares(path: string): number
  /** Limits as the kernel has them: CPU and memory. Of v2 without shares, which it keeps rounded. */
  limits(path: string): Resources
  /** pids in it, without those of its children. */
  processes(path: string): number[]
  /** Processes that the kernel killed in it for lack of memory. */
  oomKills(path: string): number
  usage(path: string): GroupUsage | undefined
}

/** What a group has used: CPU in nanoseconds, memory in bytes. */
export interface GroupUsage extends GroupDetails {
  readonly cpu: number
  readonly memory: number
  readonly workingSet: number
  readonly processes: number
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
const field = (text: string, name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)

/** cpu.weight (1..10000) of v2 for cpu.shares (2..262144) of v1, as runtimes convert them. */
export const weight = (shares: number): number =>
  Math.floor(1 + ((Math.min(Math.max(shares, 2), 262144) - 2) * 9999) / 262142)

/** The way back; what was rounded away is not found again. */
const sharesOf = (value: number) => (value > 0 ? Math.ceil(((value - 1) * 262142) / 9999 + 2) : 0)

/** v1 says so, in pages, where there is no limit. */
const UNLIMITED = 2 ** 62

/** Names of the groups below one, which need not be there. */
export function groupsIn(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).flatMap(entry => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}

/** Whether groups are of version 2 alone. */
export const isUnified = (mount: string): boolean => existsSync(join(mount, 'cgroup.controllers'))

/** Reads groups below `root`, which need not be there; paths are relative to it. */
export function groupReader(root: string, mount = CGROUPS): GroupReader {
  const v2 = isUnified(mount)
  const base = (controller: Controller) => join(v2 ? mount : join(mount, controller), root)
  const shares = (path: string) => {
    const dir = join(base('cpu'), path)
    return v2 ? sharesOf(Number(read(join(dir, 'cpu.weight')))) : Number(read(join(dir, 'cpu.shares')))
  }
  return {
    version: v2 ? 2 : 1,
    base,
    shares,
    limits(path) {
      const [cpu, memory] = [join(base('cpu'), path), join(base('memory'), path)]
      const [quota, period] = v2
        ? read(join(cpu, 'cpu.max')).trim().split(' ')
        : [read(join(cpu, 'cpu.cfs_quota_us')), read(join(cpu, 'cpu.cfs_period_us'))]
      const cpuShares = v2 ? 0 : shares(path)
      const limit = Number(read(join(memory, v2 ? 'memory.max' : 'memory.limit_in_bytes')))
      return {
        ...(cpuShares > 0 ? { cpuShares } : {}),
        ...(Number(quota) > 0 ? { cpuQuota: Number(quota), cpuPeriod: Number(period) } : {}),
        ...(limit > 0 && limit < UNLIMITED ? { memoryLimit: limit } : {}),
      }
    },
    processes: path =>
      read(join(base('pids'), path, 'cgroup.procs'))
        .split('\n')
        .filter(Boolean)
        .map(Number),
    oomKills: path => field(read(join(base('memory'), path, v2 ? 'memory.events' : 'memory.oom_control')), 'oom_kill'),
    usage(path) {
      const memory = join(base('memory'), path)
      const current = read(join(memory, v2 ? 'memory.current' : 'memory.usage_in_bytes'))
      if (!current) return undefined
      const total = Number(current)
      const stat = read(join(memory, 'memory.stat'))
      const inactive = field(stat, v2 ? 'inactive_file' : 'total_inactive_file')
      const time = read(join(base('cpu'), path, 'cpu.stat'))
      const cpu = v2 ? field(time, 'usage_usec') * 1000 : Number(read(join(base('cpuacct'), path, 'cpuacct.usage')))
      return {
        cpu,
        memory: total,
        workingSet: Math.max(0, total - inactive),
        processes: Number(read(join(base('pids'), path, 'pids.current'))) || 0,
        memoryRss: field(stat, v2 ? 'anon' : 'total_rss'),
        memoryCache: field(stat, v2 ? 'file' : 'total_cache'),
        memorySwap: v2 ? Number(read(join(memory, 'memory.swap.current'))) : field(stat, 'total_swap'),
        periods: field(time, 'nr_periods'),
        throttledPeriods: field(time, 'nr_throttled'),
        throttledTime: v2 ? field(time, 'throttled_usec') * 1000 : field(time, 'throttled_time'),
      }
    },
  }
}
