/** What a node says of its machine. */
import { readFileSync, statfsSync } from 'node:fs'
import os from 'node:os'
import type { NodeSystemInfo } from '../../api/generated/types/core-v1.ts'

export interface Machine {
  /** node.status.capacity; allocatable is the same. */
  readonly capacity: Readonly<Record<string, string>>
  readonly info: Omit<NodeSystemInfo, 'containerRuntimeVersion' | 'kubeletVersion' | 'kubeProxyVersion'>
}

/** Pods on one node, unless told otherwise (the kubelet's default). */
const MAX_PODS = 110

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}

function disk(directory: string): string {
  try {
    const { blocks, bsize } = statfsSync(directory)
    return `${Math.floor((blocks * bsize) / 1024)}Ki`
  } catch {
    return '0'
  }
}

/** This machine; `dataDirectory` tells which disk counts. */
export function thisMachine(dataDirectory: string, maxPods = MAX_PODS): Machine {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch
  const release = read('/etc/os-release')
  const machineID = read('/etc/machine-id') || os.hostname()
  return {
    capacity: {
      cpu: String(os.availableParallelism()),
      memory: `${Math.floor(os.totalmem() / 1024)}Ki`,
      'ephemeral-storage': disk(dataDirectory),
      pods: String(maxPods),
    },
    info: {
      architecture,
      bootID: read('/proc/sys/kernel/random/boot_id'),
      kernelVersion: os.release(),
      machineID,
      operatingSystem: process.platform === 'win32' ? 'windows' : process.platform,
      osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? `${os.type()} ${os.release()}`,
      systemUUID: read('/sys/class/dmi/id/product_uuid') || machineID,
    },
  }
}
