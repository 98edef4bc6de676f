/** What a CRI runtime tells of sandboxes and containers, as the agent sees it. */

import type { ValueOf } from '../../../lib/protobuf/message.ts'
import { readMessageFile } from '../message-file.ts'
import type { ContainerStatus, Resources, SandboxStatus } from '../runtime.ts'
import { CONTAINER_NOTE, type ContainerNote, SANDBOX_NOTE, type SandboxNote } from './config.ts'
import {
  CONTAINER_STATES,
  type CriContainerStatus,
  type CriSandboxStatus,
  type linuxResources,
  SANDBOX_READY,
} from './messages.ts'
import { SIGNALS } from './signals.ts'

export interface KnownSandbox {
  readonly status: SandboxStatus
  readonly note: SandboxNote
}

export interface KnownContainer {
  readonly status: ContainerStatus
  readonly note: ContainerNote
  /** On this machine. */
  readonly logFile: string
}

const lastWords = ({ message }: ContainerNote) => (message ? readMessageFile(message) : '')
const milliseconds = (nanoseconds: number) => Math.floor(nanoseconds / 1e6)

/** `ips` are those that the agent gave; the runtime's own count where there are none. */
export function sandboxOf(status: CriSandboxStatus): KnownSandbox {
  const note = JSON.parse(status.annotations[SANDBOX_NOTE] ?? '{}') as SandboxNote
  const { name = '', uid = '', namespace = '', attempt = 0 } = status.metadata ?? {}
  const { network } = status
  const own = network?.ip ? [network.ip, ...network.additionalIps.map(each => each.ip)] : []
  return {
    note,
    status: {
      id: status.id,
      namespace,
      name,
      uid,
      attempt,
      state: status.state === SANDBOX_READY ? 'ready' : 'stopped',
      createdAt: milliseconds(status.createdAt),
      ips: note.ips?.length ? note.ips : own,
    },
  }
}

/** `sandbox` is the id of the container's sandbox, which CRI's status does not say. */
export function containerOf(status: CriContainerStatus, sandbox: string): KnownContainer {
  const note = JSON.parse(status.annotations[CONTAINER_NOTE] ?? '{}') as ContainerNote
  const state = CONTAINER_STATES[status.state] ?? 'unknown'
  const exited = state === 'exited'
  // What never ran has begun and ended at once.
  const startedAt = milliseconds(status.startedAt || (exited ? status.finishedAt || status.createdAt : 0))
  const finishedAt = exited ? Math.max(milliseconds(status.finishedAt), startedAt) : 0
  const isStartError = status.reason === 'StartError'
  const message = exited ? (isStartError ? status.message : lastWords(note) || oom(status)) : ''
  return {
    note,
    logFile: status.logPath,
    status: {
      id: status.id,
      sandboxId: sandbox,
      podUid: status.labels['io.kubernetes.pod.uid'] ?? '',
      name: status.metadata?.name ?? '',
      attempt: status.metadata?.attempt ?? 0,
      state,
      image: note.image ?? status.image?.image ?? '',
      imageId: status.imageRef,
      ...(note.volumeImages ? { volumeImages: note.volumeImages } : {}),
      annotations: note.annotations ?? {},
      createdAt: milliseconds(status.createdAt),
      startedAt,
      finishedAt,
      ...(exited ? { exitCode: status.exitCode, reason: status.reason || 'Error' } : {}),
      ...(message ? { message } : {}),
      ...(status.user?.linux ? { user: status.user.linux } : {}),
      ...(status.resources?.linux ? { resources: resourcesOf(status.resources.linux) } : {}),
      ...(status.stopSignal ? { stopSignal: SIGNALS[status.stopSignal]! } : {}),
    },
  }
}

/** Limits; what is zero is not limited. */
function resourcesOf({
  cpuShares,
  cpuQuota,
  cpuPeriod,
  memoryLimitInBytes,
}: ValueOf<typeof linuxResources>): Resources {
  return {
    ...(cpuShares ? { cpuShares } : {}),
    ...(cpuQuota > 0 ? { cpuQuota, cpuPeriod } : {}),
    ...(memoryLimitInBytes > 0 ? { memoryLimit: memoryLimitInBytes } : {}),
  }
}

/** A runtime's own remark about an end; that of a plain one is empty. */
const oom = ({ reason, message }: CriContainerStatus) => (reason === 'Completed' || reason === 'Error' ? '' : message)
