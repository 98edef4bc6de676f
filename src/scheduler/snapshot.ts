/**
 * The nodes and what stands on them, kept current by deltas: a node is a slot, a number into flat typed arrays. Nothing
 * is copied for a decision; whoever keeps a result per node learns from `changesSince` which slots to look at again.
 */
import type { Node } from '../api/kinds/core/node.ts'
import { type HostPort, portsClash } from '../api/machinery/host-ports.ts'
import { milliValue, quantityValue } from '../api/machinery/quantity.ts'
import type { PodInfo } from './pod-info.ts'

/** One resource over all nodes. */
export interface Column {
  readonly allocatable: Float64Array
  readonly requested: Float64Array
}

/** What is told of every pod that comes to a node or leaves it, and of every node whose labels changed. */
export interface Listener {
  pod(info: PodInfo, slot: number, sign: 1 | -1): void
  labels(slot: number): void
}

export interface Snapshot {
  /** Slots in use or used once; all below it. */
  readonly slots: number
  /** Nodes that exist. */
  readonly size: number
  /** undefined: the slot is free. */
  node(slot: number): Node | undefined
  name(slot: number): string
  slotOf(name: string): number | undefined
  /** Pods on the node. */
  pods(slot: number): ReadonlySet<PodInfo>
  readonly cpu: Column
  readonly memory: Column
  readonly storage: Column
  /** Number of pods; `allocatable` is the node's limit. */
  readonly count: Column
  /** Requests with a floor for pods that ask for nothing: what scores look at. */
  readonly likelyCpu: Float64Array
  readonly likelyMemory: Float64Array
  /** An extended resource; undefined where no node has any. */
  other(resource: string): Column | undefined
  /** Whether a pod on the node has one of these ports. */
  portTaken(slot: number, ports: readonly HostPort[]): boolean
  setNode(node: Node): void
  removeNode(name: string): void
  /** Puts a pod on a node, which may not be known yet. */
  addPod(info: PodInfo, nodeName: string): void
  removePod(uid: string): void
  /** The pod, where it stands on a node. */
  pod(uid: string): { readonly info: PodInfo; readonly nodeName: string } | undefined
  /** The lowest priority of any pod on a node; Infinity where there is none. */
  lowestPriority(): number
  /** Grows with every change. */
  clock(): number
  /** Slots that changed after `clock`, perhaps repeatedly; undefined: too long ago, look at all. */
  changesSince(clock: number): readonly number[] | undefined
  listen(listener: Listener): void
}

/** What a pod that asks for nothing is taken to use, as upstream's scores do: 100m and 200 MB. */
const LIKELY_CPU = 100
const LIKELY_MEMORY = 200 * 1024 * 1024

const CHANGES_KEPT = 65_536

/** Makes an empty one. */
export function createSnapshot(): Snapshot {
  let capacity = 64
  let used = 0
  let size = 0
  const nodes: (Node | undefined)[] = []
  const names: string[] = []
  const podsOf: Set<PodInfo>[] = []
  const portsOf: HostPort[][] = []
  const slots = new Map<string, number>()
  const placed = new Map<string, { info: PodInfo; nodeName: string }>()
  /** Pods of nodes that are not known (yet). */
  const homeless = new Map<string, Set<PodInfo>>()
  const listeners: Listener[] = []
  let changes: number[] = []
  let firstChange = 0

  const column = () => ({ allocatable: new Float64Array(capacity), requested: new Float64Array(capacity) })
  const columns = { cpu: column(), memory: column(), storage: column(), count: column() }
  const likely = { cpu: new Float64Array(capacity), memory: new Float64Array(capacity) }
  const others = new Map<string, ReturnType<typeof column>>()
  /** Pods on nodes by priority: few different ones. */
  const priorities = new Map<number, number>()

  function larger(array: Float64Array): Float64Array<ArrayBuffer> {
    const result = new Float64Array(capacity)
    result.set(array)
    return result
  }
  function grow() {
    capacity *= 2
    for (const each of [...Object.values(columns), ...others.values()]) {
      each.allocatable = larger(each.allocatable)
      each.requested = larger(each.requested)
    }
    likely.cpu = larger(likely.cpu)
    likely.memory = larger(likely.memory)
  }
  function touch(slot: number) {
    changes.push(slot)
    if (changes.length < 2 * CHANGES_KEPT) return
    firstChange += CHANGES_KEPT
    changes = changes.slice(CHANGES_KEPT)
  }
  function otherColumn(resource: string) {
    let found = others.get(resource)
    if (!found) others.set(resource, (found = column()))
    return found
  }

  function count(info: PodInfo, slot: number, sign: 1 | -1) {
    const { cpu, memory, storage, others: rest } = info.requests
    columns.cpu.requested[slot]! += sign * cpu
    columns.memory.requested[slot]! += sign * memory
    columns.storage.requested[slot]! += sign * storage
    columns.count.requested[slot]! += sign
    likely.cpu[slot]! += sign * (cpu || LIKELY_CPU)
    likely.memory[slot]! += sign * (memory || LIKELY_MEMORY)
    for (const [resource, amount] of rest) otherColumn(resource).requested[slot]! += sign * amount
    if (sign > 0) {
      podsOf[slot]!.add(info)
      portsOf[slot]!.push(...info.hostPorts)
    } else {
      podsOf[slot]!.delete(info)
      if (info.hostPorts.length > 0) portsOf[slot] = [...podsOf[slot]!].flatMap(each => each.hostPorts)
    }
    const alike = (priorities.get(info.priority) ?? 0) + sign
    if (alike > 0) priorities.set(info.priority, alike)
    else priorities.delete(info.priority)
    for (const listener of listeners) listener.pod(info, slot, sign)
    touch(slot)
  }

  function setAllocatable(slot: number, node: Node) {
    const {
      cpu = '0',
      memory = '0',
      pods = '0',
      'ephemeral-storage': storage = '0',
      ...rest
    } = node.status?.allocatable ?? node.status?.capacity ?? {}
    columns.cpu.allocatable[slot] = milliValue(cpu)
    columns.memory.allocatable[slot] = quantityValue(memory)
    columns.storage.allocatable[slot] = quantityValue(storage)
    columns.count.allocatable[slot] = quantityValue(pods)
    for (const each of others.values()) each.allocatable[slot] = 0
    for (const [resource, quantity] of Object.entries(rest))
      otherColumn(resource).allocatable[slot] = quantityValue(quantity)
  }

  function newSlot(name: string): number {
    let slot = 0
    while (slot < used && names[slot] !== '') slot++
    if (size === used) slot = used
    if (slot === used) used++
    if (used > capacity) grow()
    names[slot] = name
    podsOf[slot] = new Set()
    portsOf[slot] = []
    slots.set(name, slot)
    size++
    return slot
  }

  return {
    get slots() {
      return used
    },
    get size() {
      return size
    },
    node: slot => nodes[slot],
    name: slot => names[slot] ?? '',
    slotOf: name => slots.get(name),
    pods: slot => podsOf[slot]!,
    cpu: columns.cpu,
    memory: columns.memory,
    storage: columns.storage,
    count: columns.count,
    get likelyCpu() {
      return likely.cpu
    },
    get likelyMemory() {
      return likely.memory
    },
    other: resource => others.get(resource),
    portTaken: (slot, ports) => portsOf[slot]!.some(taken => ports.some(port => portsClash(taken, port))),
    setNode(node) {
      const name = node.metadata?.name ?? ''
      const known = slots.get(name)
      const slot = known ?? newSlot(name)
      const before = nodes[slot]?.metadata?.labels
      nodes[slot] = node
      setAllocatable(slot, node)
      if (known === undefined || JSON.stringify(before) !== JSON.stringify(node.metadata?.labels)) {
        for (const listener of listeners) listener.labels(slot)
      }
      for (const info of homeless.get(name) ?? []) count(info, slot, 1)
      homeless.delete(name)
      touch(slot)
    },
    removeNode(name) {
      const slot = slots.get(name)
      if (slot === undefined) return
      const left = new Set(podsOf[slot]!)
      for (const info of left) count(info, slot, -1)
      if (left.size > 0) homeless.set(name, left)
      slots.delete(name)
      nodes[slot] = undefined
      names[slot] = ''
      size--
      for (const listener of listeners) listener.labels(slot)
      touch(slot)
    },
    addPod(info, nodeName) {
      placed.set(info.uid, { info, nodeName })
      const slot = slots.get(nodeName)
      if (slot !== undefined) return count(info, slot, 1)
      const waiting = homeless.get(nodeName)
      if (waiting) waiting.add(info)
      else homeless.set(nodeName, new Set([info]))
    },
    removePod(uid) {
      const found = placed.get(uid)
      if (!found) return
      placed.delete(uid)
      const slot = slots.get(found.nodeName)
      if (slot !== undefined) return count(found.info, slot, -1)
      const waiting = homeless.get(found.nodeName)
      waiting?.delete(found.info)
      if (waiting?.size === 0) homeless.delete(found.nodeName)
    },
    pod: uid => placed.get(uid),
    lowestPriority: () => Math.min(...priorities.keys()),
    clock: () => firstChange + changes.length,
    changesSince: clock => (clock < firstChange ? undefined : changes.slice(clock - firstChange)),
    listen(listener) {
      listeners.push(listener)
    },
  }
}
