/** One CSI driver as a node asks it. */
import { type CallError, openChannel, rpcText } from '../../lib/grpc/channel.ts'
import type { Encodable, Message, ValueOf } from '../../lib/protobuf/message.ts'
import {
  empty,
  expandRequest,
  expandResponse,
  type NodeInfo,
  nodeCapabilitiesResponse,
  nodeInfoResponse,
  publishRequest,
  stageRequest,
  unpublishRequest,
  unstageRequest,
} from './messages.ts'

/** As the kubelet's: a driver may take long, but not for ever. */
const TIMEOUT_MS = 120_000

export interface CsiDriver {
  readonly name: string
  /** What it says of this node. */
  readonly info: NodeInfo
  /** It can do this; see `CAPABILITY`. */
  can(capability: number): boolean
  stage(request: Encodable<ValueOf<typeof stageRequest>>): Promise<void>
  unstage(request: Encodable<ValueOf<typeof unstageRequest>>): Promise<void>
  publish(request: Encodable<ValueOf<typeof publishRequest>>): Promise<void>
  unpublish(request: Encodable<ValueOf<typeof unpublishRequest>>): Promise<void>
  /** Resolves with the size that the volume has now, in bytes; 0 where the driver does not tell. */
  expand(request: Encodable<ValueOf<typeof expandRequest>>): Promise<number>
  close(): void
}

/** Connects to the socket of a driver, and asks what it can do on this node. Rejects when it does not answer. */
export async function openDriver(name: string, socket: string): Promise<CsiDriver> {
  const channel = await openChannel(socket)
  const call = async <A, B>(method: string, types: readonly [Message<A>, Message<B>], request: Encodable<A>) => {
    try {
      return await channel.call('csi.v1.Node', method, types, request, { timeoutMs: TIMEOUT_MS })
    } catch (error) {
      throw new Error(rpcText(error as CallError), { cause: error })
    }
  }
  try {
    const info = await call('NodeGetInfo', [empty, nodeInfoResponse], {})
    const { capabilities } = await call('NodeGetCapabilities', [empty, nodeCapabilitiesResponse], {})
    const known = new Set(capabilities.map(each => each.rpc?.type))
    return {
      name,
      info,
      can: capability => known.has(capability),
      async stage(request) {
        await call('NodeStageVolume', [stageRequest, empty], request)
      },
      async unstage(request) {
        await call('NodeUnstageVolume', [unstageRequest, empty], request)
      },
      async publish(request) {
        await call('NodePublishVolume', [publishRequest, empty], request)
      },
      async unpublish(request) {
        await call('NodeUnpublishVolume', [unpublishRequest, empty], request)
      },
      expand: async request => (await call('NodeExpandVolume', [expandRequest, expandResponse], request)).capacityBytes,
      close: channel.close,
    }
  } catch (error) {
    channel.close()
    throw error
  }
}
