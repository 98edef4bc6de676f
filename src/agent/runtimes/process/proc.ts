/** What /proc tells about processes. On systems without it every question is answered by `process.kill(pid, 0)` alone. */
import { readdirSync, readFileSync } from 'node:fs'
import { statFields } from '../../../lib/process-start.ts'

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessRef {
  readonly pid: number
  /** Field 22 of /proc/PID/stat, clock ticks since boot; '' where there is no /proc. */
  readonly start: string
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function stat(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`)
  return text === undefined ? undefined : statFields(text)
}

/** This very process still runs (a zombie does not). */
export function alive(ref: ProcessRef): boolean {
  if (ref.start === '') return signalable(ref.pid)
  const fields = stat(ref.pid)
  return fields !== undefined && fields[19] === ref.start && fields[0] !== 'Z' && fields[0] !== 'X'
}

/** It waits for something that may never come (proc(5): state S). */
export const isAsleep = (pid: number): boolean => stat(pid)?.[0] === 'S'

function signalable(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Sends a signal to that very process; false when it is gone. A negative pid would mean a group: not taken here. */
export function signal(ref: ProcessRef, name: NodeJS.Signals): boolean {
  if (ref.pid <= 1 || !alive(ref)) return false
  try {
    process.kill(ref.pid, name)
    return true
  } catch {
    return false
  }
}

/** Environment of a process as it was started; undefined when it may not be read. */
export function environ(pid: number): Record<string, string> | undefined {
  const text = read(`/proc/${pid}/environ`)
  if (text === undefined) return undefined
  const result: Record<string, string> = {}
  for (const line of text.split('\0')) {
    const at = line.indexOf('=')
    if (at > 0) result[line.slice(0, at)] = line.slice(at + 1)
  }
  return result
}

/** All processes below one, itself included, parents first. */
export function descendants(pid: number): number[] {
  const found = [pid]
  for (let at = 0; at < found.length; at++) {
    const children = read(`/proc/${found[at]}/task/${found[at]}/children`)
    for (const child of (children ?? '').split(' ')) if (child) found.push(Number(child))
  }
  return found
}

/** pids whose environment has `mark` (`NAME=value`), wherever they were reparented to. Linux only. */
export function marked(mark: string): number[] {
  const needle = `\0${mark}\0`
  const result: number[] = []
  let names: string[]
  try {
    names = readdirSync('/proc')
  } catch {
    return result
  }
  for (const name of names) {
    const first = name.charCodeAt(0)
    if (first < 48 || first > 57) continue
    if (`\0${read(`/proc/${name}/environ`) ?? ''}`.includes(needle)) result.push(Number(name))
  }
  return result
}

/** CPU time in nanoseconds and resident bytes of some processes together. */
export function usage(pids: readonly number[]): { cpu: number; memory: number } {
  let cpu = 0
  let memory = 0
  for (const pid of pids) {
    const fields = stat(pid)
    if (!fields) continue
    cpu += (Number(fields[11]) + Number(fields[12])) * 10_000_000
    memory += Number(fields[21]) * 4096
  }
  return { cpu, memory }
}

/** Identifies this boot of the machine: pids of another one mean nothing. */
export const bootId = (): string => read('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
