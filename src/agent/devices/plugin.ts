/** One device plugin, as a node asks it. */
import { CallError, openChannel, rpcText } from '../../lib/grpc/channel.ts'
import type { Encodable, Message } from '../../lib/protobuf/message.ts'
import {
  type Allocated,
  allocateRequest,
  allocateResponse,
  empty,
  listResponse,
  PLUGIN,
  type PluginOptions,
  preferredRequest,
  preferredResponse,
  preStartRequest,
} from './messages.ts'

/** As the kubelet's, for what is done before each start (ms). */
const PRE_START_MS = 30_000

/** Health of devices by their ids. */
export type Devices = ReadonlyMap<string, string>

export interface DevicePlugin {
  readonly options: PluginOptions
  /** Rejects with an `Error` that holds the plugin's words. */
  allocate(ids: readonly string[]): Promise<Allocated>
  /** Which of `available` it would take, `mustInclude` among them. */
  prefer(available: readonly string[], mustInclude: readonly string[], size: number): Promise<readonly string[]>
  preStart(ids: readonly string[]): Promise<void>
  close(): void
}

/**
 * Connects to a plugin's socket. `changed` is called with its devices, first before this resolves, and `ended` once when
 * it is gone. Rejects when it does not answer, or `signal` aborts before it does; that ends its connection at any time.
 */
export async function openPlugin(
  socket: string,
  options: PluginOptions,
  { changed, ended }: { changed(devices: Devices): void; ended(error: unknown): void },
  signal: AbortSignal,
): Promise<DevicePlugin> {
  const channel = await openChannel(socket)
  const own = new AbortController()
  const scope = AbortSignal.any([own.signal, signal])
  const first = Promise.withResolvers<void>()
  async function follow() {
    try {
      for await (const { devices } of channel.stream(PLUGIN, 'ListAndWatch', [empty, listResponse], {}, scope)) {
        changed(new Map(devices.map(({ id, health }) => [id, health])))
        first.resolve()
      }
      throw new CallError(0, 'its list of devices ended')
    } catch (error) {
      first.reject(error)
      channel.close()
      if (!scope.aborted) ended(error)
    }
  }
  async function call<A, B>(
    method: string,
    types: readonly [Message<A>, Message<B>],
    request: Encodable<A>,
    timeoutMs?: number,
  ): Promise<B> {
    try {
      return await channel.call(PLUGIN, method, types, request, timeoutMs === undefined ? {} : { timeoutMs })
    } catch (error) {
      throw error instanceof CallError ? new Error(rpcText(error), { cause: error }) : error
    }
  }
  void follow()
  await first.promise
  return {
    options,
    async allocate(ids) {
      const { containers } = await call('Allocate', [allocateRequest, allocateResponse], { containers: [{ ids }] })
      const [answer] = containers
      if (!answer) throw new Error('no containers return in allocation response')
      return answer
    },
    async prefer(available, mustInclude, size) {
      const request = { containers: [{ available, mustInclude, size }] }
      const answer = await call('GetPreferredAllocation', [preferredRequest, preferredResponse], request)
      return answer.containers[0]?.ids ?? []
    },
    async preStart(ids) {
      await call('PreStartContainer', [preStartRequest, empty], { ids }, PRE_START_MS)
    },
    close() {
      own.abort()
      channel.close()
    },
  }
}
