/** Rules of ResourceClaims and their templates (k8s.io/kubernetes `pkg/apis/resource/validation`). */
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaim,
  ResourceClaimConsumerReference,
  ResourceClaimStatus,
  ResourceClaimTemplate,
} from '../../generated/types/resource-v1.ts'
import { forbidden, invalid, required, tooLong, tooMany } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { equalJson } from '../../machinery/merge-patch.ts'
import { checkConditions } from '../conditions.validate.ts'
import { checkNodeSelectorTerms } from '../core/scheduling.validate.ts'
import { checkTemplateMeta } from '../core/template-meta.validate.ts'
import { checkInterfaceAddress } from '../interface-address.validate.ts'
import { check, checkEnum, type Errors, IMMUTABLE, immutable, sameValue, when } from '../rules.ts'
import { checkAdminRequests, checkAdminResults } from './admin-access.validate.ts'
import {
  checkClaimSpec,
  checkRequestConfiguration,
  checkRequestRef,
  REQUESTS,
  requestNames,
} from './claim-spec.validate.ts'
import { checkBindingConditions } from './device.validate.ts'
import { checkList, checkSet } from './lists.validate.ts'
import { checkDriver, checkPool, checkShortName } from './names.validate.ts'
import { checkRawObject } from './selector.validate.ts'

const CONSUMERS = 256
const CONDITIONS = 8
const DATA_MAX = 10 * 1024
const INTERFACE_MAX = 256
const HARDWARE_MAX = 128
const ADDRESSES = 16
const SOURCES = ['FromClaim', 'FromClass']
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

function checkUid(uid: string | undefined, path: string, errors: Errors): void {
  if (uid === undefined || UUID.test(uid)) return
  const form =
    'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters'
  const problem = uid.length === 36 ? 'invalid UUID format' : `invalid UUID length: ${uid.length}`
  errors.push(invalid(path, uid, UUID.test(uid.toLowerCase()) ? form : `error validating uid: ${problem}`))
}

function checkConsumer(consumer: ResourceClaimConsumerReference, path: string, errors: Errors): void {
  for (const field of ['resource', 'name', 'uid'] as const) {
    if (!consumer[field]) errors.push(required(`${path}.${field}`))
  }
}

interface DeviceName {
  readonly driver?: string
  readonly pool?: string
  readonly device?: string
  readonly shareID?: string
}

/** What tells one device from another. */
export const deviceId = ({ driver = '', pool = '', device = '', shareID }: DeviceName): string =>
  [driver, pool, device, ...(shareID === undefined ? [] : [shareID])].join('/')

/** The same as errors show it. */
const shownId = ({ driver = '', pool = '', device = '', shareID = '' }: DeviceName) => ({
  driver,
  pool,
  device,
  shareID,
})

function checkDeviceName(one: DeviceName, path: string, errors: Errors): void {
  checkDriver(one.driver, `${path}.driver`, errors)
  checkPool(one.pool, `${path}.pool`, errors)
  checkShortName(one.device, `${path}.device`, errors)
}

function checkNetwork(data: NetworkDeviceData | undefined, path: string, errors: Errors): void {
  if (!data) return
  const longer = (text: string | undefined, max: number) => (text?.length ?? 0) > max
  if (longer(data.interfaceName, INTERFACE_MAX)) errors.push(tooLong(`${path}.interfaceName`, INTERFACE_MAX))
  if (longer(data.hardwareAddress, HARDWARE_MAX)) errors.push(tooLong(`${path}.hardwareAddress`, HARDWARE_MAX))
  checkSet(data.ips, { max: ADDRESSES, key: ip => ip }, checkInterfaceAddress, `${path}.ips`, errors)
}

function checkDeviceStatus(
  one: AllocatedDeviceStatus,
  allocated: ReadonlySet<string>,
  path: string,
  errors: Errors,
): void {
  checkDeviceName(one, path, errors)
  checkUid(one.shareID, `${path}.shareID`, errors)
  if (!allocated.has(deviceId(one))) {
    errors.push(invalid(path, shownId(one), 'must be an allocated device in the claim'))
  }
  const conditions = one.conditions?.length ?? 0
  if (conditions > CONDITIONS) errors.push(tooMany(`${path}.conditions`, conditions, CONDITIONS))
  checkConditions(one.conditions, `${path}.conditions`, errors)
  if (one.data !== undefined) checkRawObject(one.data, DATA_MAX, `${path}.data`, errors)
  checkNetwork(one.networkData, `${path}.networkData`, errors)
}

function checkAllocation(allocation: AllocationResult, names: ReadonlySet<string>, path: string, errors: Errors): void {
  const { results, config } = allocation.devices ?? {}
  const result = (one: DeviceRequestAllocationResult, at: string, found: Errors) => {
    checkRequestRef(names)(one.request ?? '', `${at}.request`, found)
    checkDeviceName(one, at, found)
    checkBindingConditions(one, at, found)
    checkUid(one.shareID, `${at}.shareID`, found)
  }
  checkList(results, REQUESTS, result, `${path}.devices.results`, errors)
  const configuration = (one: DeviceAllocationConfiguration, at: string, found: Errors) => {
    checkEnum(one.source, SOURCES, `${at}.source`, found)
    checkRequestConfiguration(one, at, names, found)
  }
  checkList(config, 2 * REQUESTS, configuration, `${path}.devices.config`, errors)
  const terms = allocation.nodeSelector?.nodeSelectorTerms
  if (allocation.nodeSelector) {
    checkNodeSelectorTerms(terms, `${path}.nodeSelector.nodeSelectorTerms`, errors)
  }
}

function checkReserved(next: ResourceClaim, old: ResourceClaimStatus, errors: Errors): void {
  const { reservedFor = [], allocation } = next.status ?? {}
  const path = 'status.reservedFor'
  const set = { max: CONSUMERS, key: ({ uid }: ResourceClaimConsumerReference) => uid ?? '' }
  checkSet(reservedFor, set, checkConsumer, path, errors)
  if (reservedFor.length === 0) return
  if (!allocation) errors.push(forbidden(path, 'may not be specified when `allocated` is not set'))
  else if (next.metadata?.deletionTimestamp) {
    const isNew = (one: ResourceClaimConsumerReference) => !old.reservedFor?.some(each => sameValue(each, one))
    const message = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'
    if (reservedFor.some(isNew)) errors.push(forbidden(path, message))
  }
}

function checkStatus(next: ResourceClaim, errors: Errors, old: ResourceClaim | undefined): void {
  const before = old?.status ?? {}
  checkReserved(next, before, errors)
  const { devices, allocation } = next.status ?? {}
  const allocated = new Set((allocation?.devices?.results ?? []).map(deviceId))
  const device = (one: AllocatedDeviceStatus, at: string, found: Errors) => checkDeviceStatus(one, allocated, at, found)
  const set = { max: Number.POSITIVE_INFINITY, key: deviceId, shown: shownId }
  checkSet(devices, set, device, 'status.devices', errors)
  if (!allocation) return
  if (before.allocation) {
    if (!equalJson(allocation, before.allocation)) errors.push(invalid('status.allocation', allocation, IMMUTABLE))
  } else checkAllocation(allocation, requestNames(next.spec?.devices ?? {}), 'status.allocation', errors)
}

/** A spec never changes: on an update nothing else is said about it. */
export const resourceClaimRules: readonly Rule<ResourceClaim>[] = [
  when<ResourceClaim>(
    (_next, old) => old === undefined,
    check(({ spec }, errors) => checkClaimSpec(spec, 'spec', errors)),
  ),
  when<ResourceClaim>((_next, old, { subresource }) => old !== undefined && subresource === '', immutable('spec')),
  when<ResourceClaim>((_next, _old, { subresource }) => subresource === 'status', check(checkStatus)),
  ({ spec, status, metadata }, old, context) => {
    const errors: Errors = []
    if (!old) checkAdminRequests(spec?.devices?.requests, metadata?.namespace, context, errors)
    else if (context.subresource === 'status') {
      const results = status?.allocation?.devices?.results
      checkAdminResults(results, old.status?.allocation?.devices?.results, metadata?.namespace, context, errors)
    }
    return errors
  },
]

export const resourceClaimTemplateRules: readonly Rule<ResourceClaimTemplate>[] = [
  check<ResourceClaimTemplate>(({ spec }, errors) => {
    checkTemplateMeta(spec?.metadata, 'spec.metadata', errors)
    checkClaimSpec(spec?.spec, 'spec.spec', errors)
  }),
  when<ResourceClaimTemplate>((_next, old) => old !== undefined, immutable('spec')),
  ({ spec, metadata }, old, context) => {
    const errors: Errors = []
    if (!old) checkAdminRequests(spec?.spec?.devices?.requests, metadata?.namespace, context, errors)
    return errors
  },
]
