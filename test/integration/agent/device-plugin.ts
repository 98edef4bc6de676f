/** A device plugin in the test's own process: its devices are plain numbers, told to containers in a variable. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import * as messages from '../../../src/agent/devices/messages.ts'
import { openChannel } from '../../../src/lib/grpc/channel.ts'
import type { Message } from '../../../src/lib/protobuf/message.ts'
import { serve } from './grpc-service.ts'

export interface PluginOptions {
  /** Of the node: `kubelet.sock` is in it. */
  readonly directory: string
  readonly resource: string
  readonly version?: string
  readonly preStartRequired?: boolean
  /** Of the ids that it would take, the first. */
  readonly prefers?: readonly string[]
  /** What a container with these devices gets beside its variable. */
  answer?(ids: readonly string[]): object
}

export type DevicePlugin = Awaited<ReturnType<typeof startDevicePlugin>>

const of = (type: unknown) => type as Message<never>

/** Serves and registers. `healthy` and `sick` are ids of devices. */
export async function startDevicePlugin(options: PluginOptions, healthy: readonly string[]) {
  const { directory, resource, preStartRequired = false, prefers, answer } = options
  const endpoint = `${resource.replace(/\W/g, '-')}.sock`
  const socket = join(directory, endpoint)
  rmSync(socket, { force: true })
  let devices = { healthy, sick: [] as readonly string[] }
  const listeners = new Set<() => void>()
  const calls: string[] = []
  const list = () => ({
    devices: [
      ...devices.healthy.map(id => ({ id, health: 'Healthy' })),
      ...devices.sick.map(id => ({ id, health: 'Unhealthy' })),
    ],
  })
  const server = await serve(
    socket,
    messages.PLUGIN,
    {
      Allocate: [
        of(messages.allocateRequest),
        of(messages.allocateResponse),
        async ({ containers }: { containers: { ids: string[] }[] }) => {
          const [{ ids }] = containers as [{ ids: string[] }]
          calls.push(`allocate ${ids.join(' ')}`)
          return { containers: [{ envs: { DEVICES: ids.join(',') }, ...answer?.(ids) }] }
        },
      ],
      GetPreferredAllocation: [
        of(messages.preferredRequest),
        of(messages.preferredResponse),
        async () => ({ containers: [{ ids: prefers ?? [] }] }),
      ],
      PreStartContainer: [
        of(messages.preStartRequest),
        of(messages.empty),
        async ({ ids }: { ids: string[] }) => {
          calls.push(`start ${ids.join(' ')}`)
          return {}
        },
      ],
    },
    {
      ListAndWatch: [
        of(messages.empty),
        of(messages.listResponse),
        (send, ended) => {
          const tell = () => send(list())
          listeners.add(tell)
          ended.addEventListener('abort', () => listeners.delete(tell))
          tell()
        },
      ],
    },
  )
  const register = async () => {
    const channel = await openChannel(join(directory, 'kubelet.sock'))
    const request = {
      version: options.version ?? messages.VERSION,
      endpoint,
      resourceName: resource,
      options: { preStartRequired, preferredAllocation: prefers !== undefined },
    }
    try {
      await channel.call(messages.REGISTRATION, 'Register', [messages.registerRequest, messages.empty], request)
    } finally {
      channel.close()
    }
  }
  return {
    /** What it was asked. */
    calls,
    register,
    offer(next: readonly string[], sick: readonly string[] = []) {
      devices = { healthy: next, sick }
      for (const tell of listeners) tell()
    },
    stop: () => server.forceShutdown(),
  }
}
