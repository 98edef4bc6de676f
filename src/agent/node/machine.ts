/** What a node says of its machine. */

import { readFileSync } from 'node:fs'
import os from 'node:os'
import type { NodeSystemInfo } from '../../api/generated/types/core-v1.ts'
import { milliValue, quantityValue } from '../../api/machinery/quantity.ts'
import { architecture } from '../../lib/architecture.ts'
import { diskOf, type MachineUsage, machineUsage } from './usage.ts'

export interface Machine {
  /** node.status.capacity. */
  readonly capacity: Readonly<Record<string, string>>
  /** What of it pods may have: node.status.allocatable. Default: all. */
  readonly allocatable?: Readonly<Record<string, string>>
  /** What is used of it now. Absent where nothing is really there: then it is what its pods use. */
  usage?(): MachineUsage
  readonly info: Omit<NodeSystemInfo, 'containerRuntimeVersion' | 'kubeletVersion' | 'kubeProxyVersion'>
}

/** Pods on one node, unless told otherwise (the kubelet's default). */
const MAX_PODS = 110

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}

function capacityOf(directory: string): string {
  const disk = diskOf(directory)
  return disk ? `${Math.floor(disk.capacityBytes / 1024)}Ki` : '0'
}

/** What is kept for the machine itself, and how many pods it takes. */
export interface NodeLimits {
  readonly maxPods?: number
  /** Quantities of `cpu`, `memory` and `ephemeral-storage` that pods do not get. */
  readonly reserved?: Readonly<Record<string, string>>
}

/** A quantity as the node's status has it: whole, memory and storage in Ki, the processor in thousandths where needed. */
function written(resource: string, amount: number): string {
  if (resource !== 'cpu') return `${Math.max(0, Math.floor(amount / 1024))}Ki`
  return amount % 1000 ? `${Math.max(0, amount)}m` : String(Math.max(0, amount) / 1000)
}

/** What is left of `capacity`. */
export function allocatableOf(
  capacity: Readonly<Record<string, string>>,
  reserved: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const left = { ...capacity }
  for (const [resource, quantity] of Object.entries(reserved)) {
    const value = resource === 'cpu' ? milliValue : quantityValue
    if (left[resource] !== undefined) left[resource] = written(resource, value(left[resource]) - value(quantity))
  }
  return left
}

/** This machine; `dataDirectory` tells which disk counts. */
export function thisMachine(dataDirectory: string, { maxPods = MAX_PODS, reserved = {} }: NodeLimits = {}): Machine {
  const release = read('/etc/os-release')
  const machineID = read('/etc/machine-id') || os.hostname()
  const capacity = {
    cpu: String(os.availableParallelism()),
    memory: `${Math.floor(os.totalmem() / 1024)}Ki`,
    'ephemeral-storage': capacityOf(dataDirectory),
    pods: String(maxPods),
  }
  return {
    capacity,
    allocatable: allocatableOf(capacity, reserved),
    usage: () => machineUsage(dataDirectory),
    info: {
      architecture: architecture(),
      bootID: read('/proc/sys/kernel/random/boot_id'),
      kernelVersion: os.release(),
      machineID,
      operatingSystem: process.platform === 'win32' ? 'windows' : process.platform,
      osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? `${os.type()} ${os.release()}`,
      systemUUID: read('/sys/class/dmi/id/product_uuid') || machineID,
    },
  }
}
