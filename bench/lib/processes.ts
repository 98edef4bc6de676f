/** What processes use, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

/** Fields of a process's stat after its name, which may hold anything: the first is its state (proc(5), field 3). */
function statFields(pid: number | string): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** CPU seconds that the processes have used so far, user and system. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0
  for (const pid of pids) {
    const fields = statFields(pid)
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks / TICKS_PER_SECOND
}

/** All processes that these have started, and those that they have, as far as their parents live. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const parent = Number(statFields(entry)[1])
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
    } catch {
      // Gone already.
    }
  }
  const below = (each: number): number[] => (children.get(each) ?? []).flatMap(child => [child, ...below(child)])
  return below(pid)
}

/** CPU microseconds that the processes have used so far, as the scheduler counts them for every thread that lives. */
export function cpuMicros(pids: readonly number[]): number {
  let nanos = 0
  for (const pid of pids)
    for (const thread of readdirSync(`/proc/${pid}/task`))
      nanos += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0])
  return nanos / 1000
}

export interface Memory {
  /** Private pages alone: what would be free without the processes. */
  readonly own: number
  /** Shared pages counted by share (PSS). */
  readonly pss: number
  readonly rss: number
}

/** Memory in bytes; where the kernel tells nothing of what is shared, all that is resident. */
export function memoryBytes(pids: readonly number[]): Memory {
  const total = { own: 0, pss: 0, rss: 0 }
  for (const pid of pids) {
    const resident = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024
    total.rss += resident
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
      const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)![1]) * 1024
      total.pss += field('Pss')
      total.own += field('Private_Clean') + field('Private_Dirty')
    } catch {
      total.pss += resident
      total.own += resident
    }
  }
  return total
}
