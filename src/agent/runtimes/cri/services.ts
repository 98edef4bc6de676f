/** The calls of the container runtime interface that are made, by name. */
import type { CallOptions, Channel } from '../../../lib/grpc/channel.ts'
import type { Encodable, Message, ValueOf } from '../../../lib/protobuf/message.ts'
import * as m from './messages.ts'

const RUNTIME = 'runtime.v1.RuntimeService'
const IMAGES = 'runtime.v1.ImageService'

/** Method → service and the messages of question and answer. */
const METHODS = {
  Version: [RUNTIME, m.versionRequest, m.versionResponse],
  Status: [RUNTIME, m.statusRequest, m.statusResponse],
  RuntimeConfig: [RUNTIME, m.empty, m.runtimeConfigResponse],
  RunPodSandbox: [RUNTIME, m.runSandboxRequest, m.sandboxId],
  StopPodSandbox: [RUNTIME, m.sandboxId, m.empty],
  RemovePodSandbox: [RUNTIME, m.sandboxId, m.empty],
  PodSandboxStatus: [RUNTIME, m.sandboxId, m.sandboxStatusResponse],
  ListPodSandbox: [RUNTIME, m.listSandboxesRequest, m.listSandboxesResponse],
  CreateContainer: [RUNTIME, m.createContainerRequest, m.containerId],
  StartContainer: [RUNTIME, m.containerId, m.empty],
  StopContainer: [RUNTIME, m.stopContainerRequest, m.empty],
  RemoveContainer: [RUNTIME, m.containerId, m.empty],
  ListContainers: [RUNTIME, m.listContainersRequest, m.listContainersResponse],
  ContainerStatus: [RUNTIME, m.containerStatusRequest, m.containerStatusResponse],
  UpdateContainerResources: [RUNTIME, m.updateResourcesRequest, m.empty],
  ReopenContainerLog: [RUNTIME, m.containerId, m.empty],
  ExecSync: [RUNTIME, m.execSyncRequest, m.execSyncResponse],
  Exec: [RUNTIME, m.execRequest, m.streamingUrl],
  Attach: [RUNTIME, m.attachRequest, m.streamingUrl],
  PortForward: [RUNTIME, m.portForwardRequest, m.streamingUrl],
  ContainerStats: [RUNTIME, m.containerId, m.containerStatsResponse],
  ImageStatus: [IMAGES, m.imageRequest, m.imageStatusResponse],
  ListImages: [IMAGES, m.empty, m.listImagesResponse],
  ImageFsInfo: [IMAGES, m.empty, m.imageFsInfoResponse],
  PullImage: [IMAGES, m.pullImageRequest, m.pullImageResponse],
  RemoveImage: [IMAGES, m.imageRequest, m.empty],
} as const

type Methods = typeof METHODS
type Method = readonly [service: string, request: Message<unknown>, response: Message<unknown>]
type Request<M extends keyof Methods> = Encodable<ValueOf<Methods[M][1]>>
type Response<M extends keyof Methods> = ValueOf<Methods[M][2]>

/** Makes one call; rejects with `CallError`. */
export type CriCall = <M extends keyof Methods>(
  method: M,
  request: Request<M>,
  options?: CallOptions,
) => Promise<Response<M>>

/** Calls over a channel. */
export const criCalls =
  (channel: Channel): CriCall =>
  (method, request, options) => {
    const [service, requestType, responseType] = METHODS[method] as unknown as Method
    return channel.call(service, method, [requestType, responseType], request as never, options) as never
  }

/** Containers' events by the runtime's own stream: CRI's where the runtime has it (`GetContainerEvents`). */
export const criEvents = (channel: Channel, signal: AbortSignal) =>
  channel.stream(RUNTIME, 'GetContainerEvents', [m.empty, m.containerEvent], {}, signal)

/** Tasks' events by containerd's own service, of the namespace in which its CRI plugin works. */
export const containerdEvents = (channel: Channel, signal: AbortSignal) =>
  channel.stream(
    'containerd.services.events.v1.Events',
    'Subscribe',
    [m.subscribeRequest, m.envelope],
    { filters: ['namespace==k8s.io,topic~="^/tasks/(exit|delete)"'] },
    signal,
  )
