/**
 * Control groups that systemd makes: a slice for each (systemd.slice(5), systemd.resource-control(5)). Where systemd
 * runs the machine, it is the one that writes below /sys/fs/cgroup; a group of ours among its own works too, but for
 * runtimes that are set up to ask systemd (`SystemdCgroup`, KEP-4033).
 *
 * Slices are transient: they live until they are stopped, and keep no file on disk. They have no dependencies of their
 * own, so that a machine that shuts down leaves pods to the node's own order.
 */
import { dirname, join } from 'node:path'
import type { runTool } from '../../lib/run-tool.ts'
import type { Resources } from '../runtimes/runtime.ts'
import { CLASS_GROUPS } from './pod-group.ts'
import { CGROUPS, type GroupReader, groupReader, groupsIn, weight } from './reading.ts'

export interface Slices extends GroupReader {
  /** The slice of a group, as runtimes take it: `tutti-node-kubepods.slice`. */
  name(path: string): string
  /** Makes a group with its limits. */
  create(path: string, resources: Resources): Promise<void>
  /** Changes limits; what is not named stays. Rejects with what systemd says. */
  update(path: string, resources: Resources): Promise<void>
  /** Ends a group in which nothing runs any more; all of the node's for `''`. */
  remove(path: string): Promise<void>
}

type Property = readonly [name: string, type: 'b' | 't' | 's' | 'as', ...value: string[]]

const MANAGER = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager']
/** systemd's word for no limit: the largest number of 64 bits. */
const INFINITY = String(2n ** 64n - 1n)

const limit = (value: number) => (value < 0 ? INFINITY : String(value))

function limits({ cpuShares, cpuQuota, cpuPeriod = 100_000, memoryLimit, pidsLimit }: Resources): Property[] {
  const perSecond = cpuQuota === undefined ? 0 : cpuQuota < 0 ? -1 : Math.ceil((cpuQuota * 1_000_000) / cpuPeriod)
  return [
    ...(cpuShares ? [['CPUWeight', 't', String(weight(cpuShares))] as const] : []),
    ...(perSecond ? [['CPUQuotaPerSecUSec', 't', limit(perSecond)] as const] : []),
    ...(memoryLimit ? [['MemoryMax', 't', limit(memoryLimit)] as const] : []),
    ...(memoryLimit ? [['MemorySwapMax', 't', memoryLimit < 0 ? INFINITY : '0'] as const] : []),
    ...(pidsLimit ? [['TasksMax', 't', limit(pidsLimit)] as const] : []),
  ]
}
/** Controllers stand in a group where it counts what they count. */
const COUNTED: readonly Property[] = ['CPUAccounting', 'MemoryAccounting', 'TasksAccounting'].map(name => [
  name,
  'b',
  'true',
])

const words = (properties: readonly Property[]) => [String(properties.length), ...properties.flat()]

/** `root` is the node's own group, e.g. `tutti/node-1`. */
export function openSlices(root: string, run: typeof runTool, mount = CGROUPS): Slices {
  // The name of a slice is its path; dashes in its parts are written as underscores.
  const nameOf = (parts: readonly string[]) => `${parts.map(part => part.replaceAll('-', '_')).join('-')}.slice`
  const all = (path: string) => join(root, path).split('/').filter(Boolean)
  const place = (path: string) => {
    const parts = all(path)
    return parts.map((_, at) => nameOf(parts.slice(0, at + 1))).join('/')
  }
  /** A scope of a runtime in a slice keeps its name. */
  const found = (path: string) =>
    path.endsWith('.scope') ? `${place(dirname(path))}/${path.split('/').at(-1)}` : place(path)
  const reader = groupReader('', mount)
  const name = (path: string) => nameOf(all(path))

  const call = (method: string, signature: string, ...args: string[]) =>
    run('busctl', ['call', '--quiet', ...MANAGER, method, signature, ...args])
  const change = (path: string, properties: readonly Property[]) =>
    properties.length === 0
      ? Promise.resolve()
      : call('SetUnitProperties', 'sba(sv)', name(path), 'true', ...words(properties))
  async function start(path: string, properties: readonly Property[]) {
    const own: readonly Property[] = [
      ['DefaultDependencies', 'b', 'false'],
      ['Description', 's', `Pods of Tutti (${path || root})`],
    ]
    try {
      await call(
        'StartTransientUnit',
        'ssa(sv)a(sa(sv))',
        name(path),
        'replace',
        ...words([...own, ...COUNTED, ...properties]),
        '0',
      )
    } catch (error) {
      // It stands already: made for an earlier try at this pod, or by an earlier Tutti.
      if (!/already (exists|loaded)|has a fragment file/.test(String(error))) throw error
      await change(path, properties)
    }
  }

  const stop = (slice: string) =>
    call('StopUnit', 'ss', slice, 'replace').catch((error: Error) => {
      // It was never made, or is gone.
      if (!/not loaded/.test(String(error))) throw error
    })

  /** Shares of the pods of a class, by the pod's path. */
  const shares = new Map<string, number>()
  /** Groups above those of pods that stand. */
  const standing = new Map<string, Promise<void>>()
  function stand(path: string): Promise<void> {
    const made = standing.get(path) ?? above(path).then(() => start(path, []))
    standing.set(path, made)
    made.catch(() => standing.delete(path))
    return made
  }
  const above = (path: string) => (path === '' ? Promise.resolve() : stand(path.includes('/') ? dirname(path) : ''))
  /** A class of pods weighs as much as its pods together: see `openCgroups`. */
  async function balance(path: string) {
    const group = CLASS_GROUPS.find(([each]) => dirname(path) === each)
    if (!group) return
    const [parent, fixed] = group
    const sum = [...shares].reduce((total, [each, own]) => total + (dirname(each) === parent ? own : 0), 0)
    await change(parent, limits({ cpuShares: Math.min(Math.max(fixed ?? sum, 2), 262_144) }))
  }

  return {
    ...reader,
    shares: path => reader.shares(found(path)),
    limits: path => reader.limits(found(path)),
    processes: path => reader.processes(found(path)),
    oomKills: path => reader.oomKills(found(path)),
    usage: path => reader.usage(found(path)),
    name,
    async create(path, resources) {
      await above(path)
      await start(path, limits(resources))
      shares.set(path, resources.cpuShares ?? 2)
      await balance(path)
    },
    async update(path, resources) {
      await change(path, limits(resources))
      if (resources.cpuShares) shares.set(path, resources.cpuShares)
      await balance(path)
    },
    async remove(path) {
      await stop(name(path))
      // Nodes of one machine share what is above their own: it goes with the last of them.
      const shared = dirname(root)
      // Its own is being stopped, and may be there still.
      const others = () => groupsIn(join(reader.base('memory'), place('..'))).filter(each => each !== name(''))
      if (path === '' && shared !== '.' && others().length === 0) await stop(name('..'))
      if (!shares.delete(path)) return
      await balance(path)
    },
  }
}
