/**
 * Control groups of containers, v1 and v2, below a folder of the node's own (`pod-group.ts` says where pods are). Where
 * they may not be written there are none, and limits are not enforced. All calls are a few file system calls of some
 * 30 µs each, so they are synchronous.
 */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Resources } from '../runtimes/runtime.ts'
import { groupFor } from './delegation.ts'
import { CLASS_GROUPS } from './pod-group.ts'
import { CGROUPS, type Controller, type GroupReader, groupReader, groupsIn, isUnified, V1, weight } from './reading.ts'

export interface Cgroups extends GroupReader {
  /** Makes the group with its limits; `path` is relative. Resolves to the files a process joins by writing `0`. */
  create(path: string, resources: Resources): string[]
  /** Changes limits of a group that stands; what is not named stays. Throws what the kernel says. */
  update(path: string, resources: Resources): void
  /** The files that a process joins by writing `0`, of a group that stands. */
  entries(path: string): string[]
  /**
   * Removes an empty group with its empty children, from every hierarchy there is; false while something runs in it. With
   * the node's own (`''`) goes what it shared with other nodes of the machine, once that is empty.
   */
  remove(path: string): boolean
}

const write = (path: string, value: string | number) => {
  try {
    writeFileSync(path, String(value))
    return true
  } catch {
    return false
  }
}

/**
 * Finds what this machine has below `mount` (normally /sys/fs/cgroup) and whether it may be written; undefined when
 * not. `wanted` is this node's own folder, so that two nodes of one machine do not meet. In v2 an ordinary user has it
 * below what systemd has delegated to the user.
 */
export function openCgroups(wanted: string, mount = CGROUPS): Cgroups | undefined {
  const v2 = isUnified(mount)
  const root = v2 ? groupFor(wanted, mount) : wanted
  const reader = groupReader(root, mount)
  const bases = v2 ? [mount] : V1.map(name => join(mount, name)).filter(isGroup)
  if (!v2 && bases.length < V1.length) return undefined
  try {
    for (const base of bases) {
      mkdirSync(join(base, root), { recursive: true })
      // It may stand already, and be another user's.
      accessSync(join(base, root), constants.W_OK)
    }
  } catch {
    return undefined
  }
  const all = v2 ? bases : hierarchies(mount)
  const { base } = reader
  const every = (path: string) => bases.map(each => join(each, root, path))
  // Without controllers (delegation refused, or the process sits in the root) v2 still groups and kills.
  const enable = (dir: string) => {
    // One by one: not all of them may be delegated.
    for (const each of ['cpu', 'memory', 'pids']) write(join(dir, 'cgroup.subtree_control'), `+${each}`)
  }
  if (v2) {
    let dir = mount
    for (const part of ['', ...root.split('/')]) {
      dir = join(dir, part)
      enable(dir)
    }
  }

  /** The files that say limits, in the order in which they are to be written. */
  const settings = (path: string, resources: Resources): [file: string, value: string | number][] => {
    const { cpuShares, cpuQuota, cpuPeriod = 100_000, memoryLimit, pidsLimit, oomGroup } = resources
    const at = (controller: Controller, file: string) => join(base(controller), path, file)
    const result: [string, string | number][] = []
    if (v2) {
      if (cpuShares) result.push([at('cpu', 'cpu.weight'), weight(cpuShares)])
      if (cpuQuota) result.push([at('cpu', 'cpu.max'), `${cpuQuota < 0 ? 'max' : cpuQuota} ${cpuPeriod}`])
      if (memoryLimit) {
        result.push([at('memory', 'memory.max'), memoryLimit < 0 ? 'max' : memoryLimit])
        result.push([at('memory', 'memory.swap.max'), memoryLimit < 0 ? 'max' : 0])
      }
      if (oomGroup) result.push([at('memory', 'memory.oom.group'), 1])
    } else {
      if (cpuShares) result.push([at('cpu', 'cpu.shares'), cpuShares])
      if (cpuQuota) {
        result.push([at('cpu', 'cpu.cfs_period_us'), cpuPeriod], [at('cpu', 'cpu.cfs_quota_us'), cpuQuota])
      }
      if (memoryLimit) result.push([at('memory', 'memory.limit_in_bytes'), memoryLimit])
    }
    if (pidsLimit) result.push([at('pids', 'pids.max'), pidsLimit])
    return result
  }

  /** Of pods' groups, which nobody else changes: read once, so that a start does not read those of all pods. */
  const shares = new Map<string, number>()
  function knownShares(path: string): number {
    const found = shares.get(path) ?? reader.shares(path)
    shares.set(path, found)
    return found
  }
  /**
   * A class of pods is one group to its siblings: without shares of its own all pods without requests would weigh as
   * much as one with a whole CPU.
   */
  const balance = (path: string) => {
    const found = CLASS_GROUPS.find(([group]) => dirname(path) === group)
    if (!found) return
    const [group, fixed] = found
    const pods = fixed ? [] : groupsIn(join(base('cpu'), group)).map(name => knownShares(join(group, name)))
    const cpuShares = Math.min(Math.max(fixed ?? pods.reduce((sum, each) => sum + each, 0), 2), 262_144)
    for (const [file, value] of settings(group, { cpuShares })) write(file, value)
  }

  return {
    ...reader,
    create(path, resources) {
      for (const each of bases) {
        let dir = join(each, root)
        for (const part of v2 ? path.split('/') : []) {
          enable(dir)
          dir = join(dir, part)
          mkdirSync(dir, { recursive: true })
        }
        if (!v2) mkdirSync(join(dir, path), { recursive: true })
      }
      for (const [file, value] of settings(path, resources)) write(file, value)
      shares.delete(path)
      balance(path)
      return every(path).map(dir => join(dir, 'cgroup.procs'))
    },
    update(path, resources) {
      for (const [file, value] of settings(path, resources)) {
        // Without the controller there is no such file, and nothing to change.
        if (existsSync(file)) writeFileSync(file, String(value))
      }
      shares.delete(path)
      balance(path)
    },
    entries: path =>
      every(path)
        .map(dir => join(dir, 'cgroup.procs'))
        .filter(existsSync),
    remove(path) {
      let empty = true
      for (const hierarchy of all) {
        empty = removeTree(join(hierarchy, root, path)) && empty
        // Nodes of one machine share what is above their own: it goes with the last of them.
        if (path === '' && dirname(root) !== '.') removeEmpty(join(hierarchy, dirname(root)))
      }
      shares.delete(path)
      balance(path)
      return empty
    },
  }
}

const isGroup = (dir: string) => existsSync(join(dir, 'cgroup.procs'))

/** All of v1: runtimes make groups in each of them. */
const hierarchies = (mount: string): string[] =>
  groupsIn(mount)
    .map(name => join(mount, name))
    .filter(isGroup)

/** Removes a group without others in it. */
function removeEmpty(dir: string): void {
  try {
    rmdirSync(dir)
  } catch {
    // It is in use, or gone.
  }
}

/** Children first; a group's own files go with it, and what is in use stays. */
function removeTree(dir: string): boolean {
  try {
    let empty = true
    for (const entry of readdirSync(dir, { withFileTypes: true }))
      if (entry.isDirectory()) empty = removeTree(join(dir, entry.name)) && empty
    if (empty) rmdirSync(dir)
    return empty
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}
