/**
 * The messages of device plugins (k8s.io/kubelet pkg/apis/deviceplugin/v1beta1). Numbers are the protocol's; fields that
 * are not named here are passed over.
 */
import { bool, int, many, map, message, one, string, type ValueOf } from '../../lib/protobuf/message.ts'

export const VERSION = 'v1beta1'
export const REGISTRATION = 'v1beta1.Registration'
export const PLUGIN = 'v1beta1.DevicePlugin'
export const HEALTHY = 'Healthy'

export const empty = message({})

export const pluginOptions = message({ preStartRequired: one(1, bool), preferredAllocation: one(2, bool) })
export type PluginOptions = ValueOf<typeof pluginOptions>
export const registerRequest = message({
  version: one(1, string),
  endpoint: one(2, string),
  resourceName: one(3, string),
  options: one(4, pluginOptions),
})
export type RegisterRequest = ValueOf<typeof registerRequest>

const device = message({ id: one(1, string), health: one(2, string) })
export const listResponse = message({ devices: many(1, device) })

export const preStartRequest = message({ ids: many(1, string) })

const preferredOfContainer = message({ available: many(1, string), mustInclude: many(2, string), size: one(3, int) })
export const preferredRequest = message({ containers: many(1, preferredOfContainer) })
const idsOfContainer = message({ ids: many(1, string) })
export const preferredResponse = message({ containers: many(1, idsOfContainer) })

export const allocateRequest = message({ containers: many(1, idsOfContainer) })
const mount = message({ containerPath: one(1, string), hostPath: one(2, string), readOnly: one(3, bool) })
const deviceSpec = message({ containerPath: one(1, string), hostPath: one(2, string), permissions: one(3, string) })
const cdiDevice = message({ name: one(1, string) })
const allocatedContainer = message({
  envs: map(1),
  mounts: many(2, mount),
  devices: many(3, deviceSpec),
  annotations: map(4),
  cdiDevices: many(5, cdiDevice),
})
/** What a container needs to use its devices. */
export type Allocated = ValueOf<typeof allocatedContainer>
export const allocateResponse = message({ containers: many(1, allocatedContainer) })
