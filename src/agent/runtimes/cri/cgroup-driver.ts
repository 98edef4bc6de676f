/**
 * How a runtime makes control groups (KEP-4033): pods' own groups, which the agent makes, must be made the same way. CRI
 * tells it (`RuntimeConfig`); containerd before 2.0 says it in its configuration alone, which it shows when asked.
 */
import type { Clock } from '../../../lib/clock.ts'
import { CallError, CODE, openChannel } from '../../../lib/grpc/channel.ts'
import { CGROUP_DRIVERS } from './messages.ts'
import { ready } from './ready.ts'
import { type CriCall, criCalls } from './services.ts'

export type CgroupDriver = (typeof CGROUP_DRIVERS)[number]

/** As containerd shows the settings of its CRI plugin; not told: not of containerd. */
interface ShownConfig {
  readonly containerd?: {
    readonly defaultRuntimeName?: string
    readonly runtimes?: Readonly<Record<string, { readonly options?: { readonly SystemdCgroup?: boolean } }>>
  }
}

/** By what containerd shows of itself. */
export function driverShown(info: Readonly<Record<string, string>>): CgroupDriver | undefined {
  if (!info.config) return undefined
  const { defaultRuntimeName, runtimes } = (JSON.parse(info.config) as ShownConfig).containerd ?? {}
  const runtime = runtimes?.[defaultRuntimeName ?? '']
  return runtime && (runtime.options?.SystemdCgroup ? 'systemd' : 'cgroupfs')
}

async function ask(call: CriCall): Promise<CgroupDriver | undefined> {
  try {
    const { linux } = await call('RuntimeConfig', {})
    return linux && CGROUP_DRIVERS[linux.cgroupDriver]
  } catch (error) {
    if (!(error instanceof CallError && error.code === CODE.unimplemented)) throw error
  }
  return driverShown((await call('Status', { verbose: true })).info)
}

/** Asks the runtime at a socket; undefined where it does not tell. Rejects with `CallError` when it does not answer. */
export async function cgroupDriverOf(socket: string, clock: Clock): Promise<CgroupDriver | undefined> {
  const channel = await openChannel(socket)
  try {
    const call = criCalls(channel)
    await ready(call, clock)
    return await ask(call)
  } finally {
    channel.close()
  }
}
