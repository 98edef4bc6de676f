/**
 * The messages of the container storage interface, CSI 1 (container-storage-interface/spec csi.proto), that go between
 * a node and its drivers, and those of a plugin's registration (k8s.io/kubelet pkg/apis/pluginregistration/v1).
 */
import { bool, int, many, map, message, one, string, type ValueOf } from '../../lib/protobuf/message.ts'

export const empty = message({})

export const pluginInfo = message({
  type: one(1, string),
  name: one(2, string),
  endpoint: one(3, string),
  supportedVersions: many(4, string),
})
export const registrationStatus = message({ pluginRegistered: one(1, bool), error: one(2, string) })

export const pluginInfoResponse = message({ name: one(1, string), vendorVersion: one(2, string) })
const topology = message({ segments: map(1) })
export const nodeInfoResponse = message({
  nodeId: one(1, string),
  maxVolumesPerNode: one(2, int),
  accessibleTopology: one(3, topology),
})
const rpc = message({ type: one(1, int) })
const nodeCapability = message({ rpc: one(1, rpc) })
export const nodeCapabilitiesResponse = message({ capabilities: many(1, nodeCapability) })

const blockVolume = message({})
const mountVolume = message({ fsType: one(1, string), mountFlags: many(2, string), volumeMountGroup: one(3, string) })
const accessMode = message({ mode: one(1, int) })
export const volumeCapability = message({
  block: one(1, blockVolume),
  mount: one(2, mountVolume),
  accessMode: one(3, accessMode),
})

export const stageRequest = message({
  volumeId: one(1, string),
  publishContext: map(2),
  stagingTargetPath: one(3, string),
  volumeCapability: one(4, volumeCapability),
  secrets: map(5),
  volumeContext: map(6),
})
export const unstageRequest = message({ volumeId: one(1, string), stagingTargetPath: one(2, string) })
export const publishRequest = message({
  volumeId: one(1, string),
  publishContext: map(2),
  stagingTargetPath: one(3, string),
  targetPath: one(4, string),
  volumeCapability: one(5, volumeCapability),
  readonly: one(6, bool),
  secrets: map(7),
  volumeContext: map(8),
})
export const unpublishRequest = message({ volumeId: one(1, string), targetPath: one(2, string) })
const capacityRange = message({ requiredBytes: one(1, int), limitBytes: one(2, int) })
export const expandRequest = message({
  volumeId: one(1, string),
  volumePath: one(2, string),
  capacityRange: one(3, capacityRange),
  stagingTargetPath: one(4, string),
  volumeCapability: one(5, volumeCapability),
  secrets: map(6),
})
export const expandResponse = message({ capacityBytes: one(1, int) })

export type VolumeCapability = ValueOf<typeof volumeCapability>
export type PluginInfo = ValueOf<typeof pluginInfo>
export type NodeInfo = ValueOf<typeof nodeInfoResponse>

/** NodeServiceCapability.RPC.Type. */
export const CAPABILITY = { stage: 1, stats: 2, expand: 3, multiWriter: 5, mountGroup: 6 } as const

/** VolumeCapability.AccessMode.Mode. */
export const MODE = {
  singleNodeWriter: 1,
  multiNodeReader: 3,
  multiNodeWriter: 5,
  singleNodeSingleWriter: 6,
  singleNodeMultiWriter: 7,
} as const
