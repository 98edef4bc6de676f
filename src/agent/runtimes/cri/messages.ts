/**
 * The messages of the container runtime interface, CRI v1 (k8s.io/cri-api pkg/apis/runtime/v1), as far as they are used.
 * Numbers are the protocol's; fields that are not named here are not sent, and passed over when they come.
 */
import { bool, bytes, int, many, map, message, one, string, type ValueOf } from '../../../lib/protobuf/message.ts'

const int64Value = message({ value: one(1, int) })
const uint64Value = message({ value: one(1, int) })

export const empty = message({})

export const versionRequest = message({ version: one(1, string) })
export const versionResponse = message({
  version: one(1, string),
  runtimeName: one(2, string),
  runtimeVersion: one(3, string),
  runtimeApiVersion: one(4, string),
})

const handlerFeatures = message({ recursiveReadOnlyMounts: one(1, bool), userNamespaces: one(2, bool) })
const runtimeHandler = message({ name: one(1, string), features: one(2, handlerFeatures) })
const runtimeFeatures = message({ supplementalGroupsPolicy: one(1, bool) })
export const statusRequest = message({ verbose: one(1, bool) })
export const statusResponse = message({
  info: map(2),
  runtimeHandlers: many(3, runtimeHandler),
  features: one(4, runtimeFeatures),
})

/** How control groups are made, by the numbers of the protocol. */
export const CGROUP_DRIVERS = ['systemd', 'cgroupfs'] as const
export const runtimeConfigResponse = message({ linux: one(1, message({ cgroupDriver: one(1, int) })) })

const sandboxFilter = message({ id: one(1, string), labelSelector: map(3) })
export const listSandboxesRequest = message({ filter: one(1, sandboxFilter) })
const containerFilter = message({ id: one(1, string), podSandboxId: one(3, string), labelSelector: map(4) })
export const listContainersRequest = message({ filter: one(1, containerFilter) })

/** Whose namespace a sandbox or container lives in. */
export const NAMESPACE = { pod: 0, container: 1, node: 2, target: 3 } as const
export const PROPAGATION = { private: 0, hostToContainer: 1, bidirectional: 2 } as const
export const PROFILE = { runtimeDefault: 0, unconfined: 1, localhost: 2 } as const
export const GROUPS_POLICY = { merge: 0, strict: 1 } as const
export const SANDBOX_READY = 0
export const CONTAINER_STATES = ['created', 'running', 'exited', 'unknown'] as const

const idMapping = message({ hostId: one(1, int), containerId: one(2, int), length: one(3, int) })
const userNamespace = message({ mode: one(1, int), uids: many(2, idMapping), gids: many(3, idMapping) })
const namespaceOption = message({
  network: one(1, int),
  pid: one(2, int),
  ipc: one(3, int),
  targetId: one(4, string),
  usernsOptions: one(5, userNamespace),
})
const securityProfile = message({ profileType: one(1, int), localhostRef: one(2, string) })
const seLinux = message({ user: one(1, string), role: one(2, string), type: one(3, string), level: one(4, string) })
const hugepageLimit = message({ pageSize: one(1, string), limit: one(2, int) })
export const linuxResources = message({
  cpuPeriod: one(1, int),
  cpuQuota: one(2, int),
  cpuShares: one(3, int),
  memoryLimitInBytes: one(4, int),
  oomScoreAdj: one(5, int),
  cpusetCpus: one(6, string),
  cpusetMems: one(7, string),
  hugepageLimits: many(8, hugepageLimit),
  unified: map(9),
  memorySwapLimitInBytes: one(10, int),
})

const sandboxSecurity = message({
  namespaceOptions: one(1, namespaceOption),
  selinuxOptions: one(2, seLinux),
  runAsUser: one(3, int64Value),
  readonlyRootfs: one(4, bool),
  supplementalGroups: many(5, int),
  privileged: one(6, bool),
  runAsGroup: one(8, int64Value),
  seccomp: one(9, securityProfile),
  apparmor: one(10, securityProfile),
  supplementalGroupsPolicy: one(11, int),
})
const linuxSandbox = message({
  cgroupParent: one(1, string),
  securityContext: one(2, sandboxSecurity),
  sysctls: map(3),
  overhead: one(4, linuxResources),
  resources: one(5, linuxResources),
})
const sandboxMetadata = message({
  name: one(1, string),
  uid: one(2, string),
  namespace: one(3, string),
  attempt: one(4, int),
})
const dnsConfig = message({ servers: many(1, string), searches: many(2, string), options: many(3, string) })
const portMapping = message({
  protocol: one(1, int),
  containerPort: one(2, int),
  hostPort: one(3, int),
  hostIp: one(4, string),
})
export const sandboxConfig = message({
  metadata: one(1, sandboxMetadata),
  hostname: one(2, string),
  logDirectory: one(3, string),
  dnsConfig: one(4, dnsConfig),
  portMappings: many(5, portMapping),
  labels: map(6),
  annotations: map(7),
  linux: one(8, linuxSandbox),
})
export type CriSandboxConfig = ValueOf<typeof sandboxConfig>

export const runSandboxRequest = message({ config: one(1, sandboxConfig), runtimeHandler: one(2, string) })
export const sandboxId = message({ podSandboxId: one(1, string) })

const podIp = message({ ip: one(1, string) })
const networkStatus = message({ ip: one(1, string), additionalIps: many(2, podIp) })
export const sandboxStatus = message({
  id: one(1, string),
  metadata: one(2, sandboxMetadata),
  state: one(3, int),
  createdAt: one(4, int),
  network: one(5, networkStatus),
  labels: map(7),
  annotations: map(8),
  runtimeHandler: one(9, string),
})
export type CriSandboxStatus = ValueOf<typeof sandboxStatus>
export const sandboxStatusResponse = message({ status: one(1, sandboxStatus) })
const sandboxItem = message({
  id: one(1, string),
  metadata: one(2, sandboxMetadata),
  state: one(3, int),
  createdAt: one(4, int),
  labels: map(6),
  annotations: map(7),
})
export const listSandboxesResponse = message({ items: many(1, sandboxItem) })

const imageSpec = message({
  image: one(1, string),
  annotations: map(2),
  userSpecifiedImage: one(18, string),
  runtimeHandler: one(19, string),
})
const mount = message({
  containerPath: one(1, string),
  hostPath: one(2, string),
  readonly: one(3, bool),
  selinuxRelabel: one(4, bool),
  propagation: one(5, int),
  uidMappings: many(6, idMapping),
  gidMappings: many(7, idMapping),
  recursiveReadOnly: one(8, bool),
  image: one(9, imageSpec),
  imageSubPath: one(10, string),
})
const device = message({ containerPath: one(1, string), hostPath: one(2, string), permissions: one(3, string) })
const capability = message({ addCapabilities: many(1, string), dropCapabilities: many(2, string) })
const containerSecurity = message({
  capabilities: one(1, capability),
  privileged: one(2, bool),
  namespaceOptions: one(3, namespaceOption),
  selinuxOptions: one(4, seLinux),
  runAsUser: one(5, int64Value),
  runAsUsername: one(6, string),
  readonlyRootfs: one(7, bool),
  supplementalGroups: many(8, int),
  noNewPrivs: one(11, bool),
  runAsGroup: one(12, int64Value),
  maskedPaths: many(13, string),
  readonlyPaths: many(14, string),
  seccomp: one(15, securityProfile),
  apparmor: one(16, securityProfile),
  supplementalGroupsPolicy: one(17, int),
})
const linuxContainer = message({ resources: one(1, linuxResources), securityContext: one(2, containerSecurity) })
const containerMetadata = message({ name: one(1, string), attempt: one(2, int) })
const cdiDevice = message({ name: one(1, string) })
const keyValue = message({ key: one(1, string), value: one(2, string) })
export const containerConfig = message({
  metadata: one(1, containerMetadata),
  image: one(2, imageSpec),
  command: many(3, string),
  args: many(4, string),
  workingDir: one(5, string),
  envs: many(6, keyValue),
  mounts: many(7, mount),
  devices: many(8, device),
  labels: map(9),
  annotations: map(10),
  logPath: one(11, string),
  stdin: one(12, bool),
  stdinOnce: one(13, bool),
  tty: one(14, bool),
  linux: one(15, linuxContainer),
  cdiDevices: many(17, cdiDevice),
  stopSignal: one(18, int),
})
export type CriContainerConfig = ValueOf<typeof containerConfig>

export const createContainerRequest = message({
  podSandboxId: one(1, string),
  config: one(2, containerConfig),
  sandboxConfig: one(3, sandboxConfig),
})
export const containerId = message({ containerId: one(1, string) })
export const stopContainerRequest = message({ containerId: one(1, string), timeout: one(2, int) })
export const updateResourcesRequest = message({ containerId: one(1, string), linux: one(2, linuxResources) })

const containerResources = message({ linux: one(1, linuxResources) })
const linuxUser = message({ uid: one(1, int), gid: one(2, int), supplementalGroups: many(3, int) })
const containerUser = message({ linux: one(1, linuxUser) })
export const containerStatus = message({
  id: one(1, string),
  metadata: one(2, containerMetadata),
  state: one(3, int),
  createdAt: one(4, int),
  startedAt: one(5, int),
  finishedAt: one(6, int),
  exitCode: one(7, int),
  image: one(8, imageSpec),
  imageRef: one(9, string),
  reason: one(10, string),
  message: one(11, string),
  labels: map(12),
  annotations: map(13),
  logPath: one(15, string),
  resources: one(16, containerResources),
  imageId: one(17, string),
  user: one(18, containerUser),
  stopSignal: one(19, int),
})
export type CriContainerStatus = ValueOf<typeof containerStatus>
export const containerStatusRequest = message({ containerId: one(1, string), verbose: one(2, bool) })
export const containerStatusResponse = message({ status: one(1, containerStatus), info: map(2) })
const containerItem = message({
  id: one(1, string),
  podSandboxId: one(2, string),
  metadata: one(3, containerMetadata),
  state: one(6, int),
  createdAt: one(7, int),
})
export const listContainersResponse = message({ containers: many(1, containerItem) })

export const execSyncRequest = message({ containerId: one(1, string), cmd: many(2, string), timeout: one(3, int) })
export const execSyncResponse = message({ stdout: one(1, bytes), stderr: one(2, bytes), exitCode: one(3, int) })
export const execRequest = message({
  containerId: one(1, string),
  cmd: many(2, string),
  tty: one(3, bool),
  stdin: one(4, bool),
  stdout: one(5, bool),
  stderr: one(6, bool),
})
export const attachRequest = message({
  containerId: one(1, string),
  stdin: one(2, bool),
  tty: one(3, bool),
  stdout: one(4, bool),
  stderr: one(5, bool),
})
export const portForwardRequest = message({ podSandboxId: one(1, string), port: many(2, int) })
export const streamingUrl = message({ url: one(1, string) })

const cpuUsage = message({ timestamp: one(1, int), usageCoreNanoSeconds: one(2, uint64Value) })
const memoryUsage = message({
  timestamp: one(1, int),
  workingSetBytes: one(2, uint64Value),
  usageBytes: one(4, uint64Value),
})
const filesystemId = message({ mountpoint: one(1, string) })
const filesystemUsage = message({
  timestamp: one(1, int),
  fsId: one(2, filesystemId),
  usedBytes: one(3, uint64Value),
  inodesUsed: one(4, uint64Value),
})
const containerAttributes = message({ id: one(1, string), metadata: one(2, containerMetadata), labels: map(3) })
export const containerStats = message({
  attributes: one(1, containerAttributes),
  cpu: one(2, cpuUsage),
  memory: one(3, memoryUsage),
  writableLayer: one(4, filesystemUsage),
})
export type CriContainerStats = ValueOf<typeof containerStats>
export const containerStatsResponse = message({ stats: one(1, containerStats) })

/** Type of the event of an end. */
export const CONTAINER_STOPPED = 2
export const containerEvent = message({
  containerId: one(1, string),
  type: one(2, int),
  createdAt: one(3, int),
  podSandboxStatus: one(4, sandboxStatus),
})

const image = message({
  id: one(1, string),
  repoTags: many(2, string),
  repoDigests: many(3, string),
  size: one(4, int),
  uid: one(5, int64Value),
  username: one(6, string),
  pinned: one(8, bool),
})
export type CriImage = ValueOf<typeof image>
export const imageRequest = message({ image: one(1, imageSpec), verbose: one(2, bool) })
export const imageStatusResponse = message({ image: one(1, image), info: map(2) })
export const listImagesResponse = message({ images: many(1, image) })
export const imageFsInfoResponse = message({ imageFilesystems: many(1, filesystemUsage) })
export const authConfig = message({
  username: one(1, string),
  password: one(2, string),
  auth: one(3, string),
  serverAddress: one(4, string),
  identityToken: one(5, string),
  registryToken: one(6, string),
})
export const pullImageRequest = message({
  image: one(1, imageSpec),
  auth: one(2, authConfig),
  sandboxConfig: one(3, sandboxConfig),
})
export const pullImageResponse = message({ imageRef: one(1, string) })

/** containerd's own event service (containerd.services.events.v1), for runtimes whose CRI has no events. */
const any = message({ typeUrl: one(1, string), value: one(2, bytes) })
export const subscribeRequest = message({ filters: many(1, string) })
export const envelope = message({ namespace: one(2, string), topic: one(3, string), event: one(4, any) })
/** Which container an event of a task is about, and which process of it (containerd.events). */
export const taskExit = message({ containerId: one(1, string), id: one(2, string) })
export const taskDelete = message({ containerId: one(1, string), id: one(5, string) })

/** containerd's snapshots (containerd.services.snapshots.v1). */
const snapshotMount = message({
  type: one(1, string),
  source: one(2, string),
  target: one(3, string),
  options: many(4, string),
})
export const viewRequest = message({
  snapshotter: one(1, string),
  key: one(2, string),
  parent: one(3, string),
  labels: map(4),
})
export const snapshotRequest = message({ snapshotter: one(1, string), key: one(2, string) })
export const mountsResponse = message({ mounts: many(1, snapshotMount) })
