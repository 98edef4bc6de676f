/** What the machine as a whole uses, read when somebody asks. Linux tells it under /proc; elsewhere less is known. */
import { readFileSync, type StatsFs, statfsSync } from 'node:fs'
import os from 'node:os'

export interface MachineUsage {
  /** Nanoseconds of all cores that were not idle, since the machine began. */
  readonly cpuNanoSeconds: number
  /** Bytes. */
  readonly memoryTotal: number
  readonly memoryAvailable: number
  readonly disk: Disk | undefined
  /** Of images, where that is another one. */
  readonly imageDisk?: Disk | undefined
  /** Processes that there are, and that there can be. */
  readonly processes: number
  readonly maxProcesses: number
}

/** Bytes and files of a disk. */
export interface Disk {
  readonly capacityBytes: number
  readonly availableBytes: number
  readonly usedBytes: number
  readonly inodes: number
  readonly inodesFree: number
}

/** Of the numbers in /proc/stat: a hundredth of a second. */
const TICK_NS = 10_000_000

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Nanoseconds of work by a /proc/stat; 0 where it says nothing. */
export function busyTime(stat: string): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] =
    /^cpu +(.*)$/m.exec(stat)?.[0].split(/ +/).map(Number) ?? []
  return (user + nice + system + irq + softirq + steal) * TICK_NS
}

/** Bytes that can be had without swapping, by a /proc/meminfo; undefined where it does not say. */
export function availableMemory(meminfo: string): number | undefined {
  const match = /^MemAvailable: +(\d+) kB$/m.exec(meminfo)
  return match ? Number(match[1]) * 1024 : undefined
}

/** A file system, as the kernel tells of it. */
export const diskFrom = ({ bsize, blocks, bavail, bfree, files, ffree }: StatsFs): Disk => ({
  capacityBytes: bsize * blocks,
  availableBytes: bsize * bavail,
  usedBytes: bsize * (blocks - bfree),
  inodes: files,
  inodesFree: ffree,
})

/** The disk under a folder; undefined where it cannot be told. */
export function diskOf(folder: string): Disk | undefined {
  try {
    return diskFrom(statfsSync(folder))
  } catch {
    return undefined
  }
}

/** `folder` tells which disk counts. */
export function machineUsage(folder: string): MachineUsage {
  return {
    cpuNanoSeconds: busyTime(read('/proc/stat')),
    memoryTotal: os.totalmem(),
    memoryAvailable: availableMemory(read('/proc/meminfo')) ?? os.freemem(),
    disk: diskOf(folder),
    // Fourth word: those that run, a slash, all.
    processes: Number(/ \d+\/(\d+) /.exec(read('/proc/loadavg'))?.[1] ?? 0),
    maxProcesses: Number(read('/proc/sys/kernel/pid_max')) || 0,
  }
}
