/** A device of a slice: attributes, capacities, counters, where it is. */
import type {
  Counter,
  Device,
  DeviceAttribute,
  DeviceCapacity,
  DeviceCounterConsumption,
} from '../../generated/types/resource-v1.ts'
import { duplicate, entry, forbidden, invalid, required, tooLong, tooMany } from '../../machinery/field-error.ts'
import { isDns1123Subdomain } from '../../machinery/names.ts'
import { checkNodeSelectorTerms } from '../core/scheduling.validate.ts'
import { checkFormat, type Errors } from '../rules.ts'
import { checkCapacityPolicy } from './capacity.validate.ts'
import { checkList, checkSet } from './lists.validate.ts'
import { checkAttributeName, checkKey, checkShortName, KEY_MAX, shortened } from './names.validate.ts'
import { checkTaint } from './taint.validate.ts'

const ENTRIES = 32
const VALUES = 48
const VALUE_MAX = 64
const TAINTS = 16
const CONSUMPTIONS = 2
const COUNTERS = 32
const CONDITIONS = 4

const NUMBER = '(0|[1-9]\\d*)'
const PRERELEASE = '(0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)'
const BUILD = '[0-9a-zA-Z-]+'
const isSemver = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(-${PRERELEASE}(\\.${PRERELEASE})*)?(\\+${BUILD}(\\.${BUILD})*)?$`,
)

function checkAttribute(attribute: DeviceAttribute, path: string, errors: Errors): void {
  const { string, version } = attribute
  if (string !== undefined && string.length > VALUE_MAX) errors.push(tooLong(`${path}.string`, VALUE_MAX))
  if (version !== undefined) {
    if (!isSemver.test(version)) {
      errors.push(invalid(`${path}.version`, version, 'must be a string compatible with semver.org spec 2.0.0'))
    }
    if (version.length > VALUE_MAX) errors.push(tooLong(`${path}.version`, VALUE_MAX))
  }
  const set = [attribute.bool, attribute.int, string, version].filter(value => value !== undefined).length
  if (set !== 1) errors.push(invalid(path, set ? attribute : '', 'exactly one value must be specified'))
}

function checkCapacity(capacity: DeviceCapacity, shared: boolean, path: string, errors: Errors): void {
  const { requestPolicy } = capacity
  if (!requestPolicy) return
  const at = `${path}.requestPolicy`
  if (shared) checkCapacityPolicy(capacity.value, requestPolicy, at, errors)
  else errors.push(forbidden(at, 'allowMultipleAllocations must be true'))
}

/** Counters by name: at least one. */
export function checkCounters(
  counters: Readonly<Record<string, Counter>> | undefined,
  path: string,
  errors: Errors,
): void {
  const names = Object.keys(counters ?? {})
  if (names.length === 0) errors.push(required(path))
  else if (names.length > COUNTERS) errors.push(tooMany(path, names.length, COUNTERS))
  else for (const name of names) checkShortName(name, path, errors)
}

function checkConsumption({ counterSet, counters }: DeviceCounterConsumption, path: string, errors: Errors): void {
  if (counterSet) checkShortName(counterSet, `${path}.counterSet`, errors)
  else errors.push(required(`${path}.counterSet`))
  checkCounters(counters, `${path}.counters`, errors)
}

/** Conditions that a binding waits for, and those that end it: both or neither, and none twice. */
export function checkBindingConditions(
  device: Pick<Device, 'bindingConditions' | 'bindingFailureConditions'>,
  path: string,
  errors: Errors,
): void {
  const { bindingConditions = [], bindingFailureConditions = [] } = device
  const [wait, end] = [`${path}.bindingConditions`, `${path}.bindingFailureConditions`]
  checkList(bindingConditions, CONDITIONS, checkKey, wait, errors)
  checkList(bindingFailureConditions, CONDITIONS, checkKey, end, errors)
  for (const [index, condition] of bindingConditions.entries()) {
    if (bindingConditions.indexOf(condition) < index) errors.push(duplicate(`${wait}[${index}]`, condition))
  }
  for (const [index, condition] of bindingFailureConditions.entries()) {
    const at = `${end}[${index}]`
    if (bindingFailureConditions.indexOf(condition) < index) errors.push(duplicate(at, condition))
    if (bindingConditions.includes(condition)) {
      errors.push(invalid(at, condition, 'bindingFailureConditions must not overlap with bindingConditions'))
    }
  }
  if (!bindingConditions.length && bindingFailureConditions.length) {
    errors.push(
      invalid(wait, device.bindingConditions ?? null, 'bindingConditions are required to use bindingFailureConditions'),
    )
  }
  if (bindingConditions.length && !bindingFailureConditions.length) {
    errors.push(
      invalid(
        end,
        device.bindingFailureConditions ?? null,
        'bindingFailureConditions are required to use bindingConditions',
      ),
    )
  }
}

const ONE_PLACE =
  'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
const NO_PLACE =
  '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec'

function checkPlace(
  { nodeName, nodeSelector, allNodes }: Device,
  perDevice: boolean,
  path: string,
  errors: Errors,
): void {
  if (!perDevice) {
    if (nodeName !== undefined || nodeSelector || allNodes !== undefined) errors.push(invalid(path, null, NO_PLACE))
    return
  }
  const set: string[] = []
  if (nodeName) {
    set.push('`nodeName`')
    checkFormat(isDns1123Subdomain(nodeName), nodeName, `${path}.nodeName`, errors)
  } else if (nodeName === '') errors.push(invalid(`${path}.nodeName`, '', 'must not be empty'))
  if (nodeSelector) {
    set.push('`nodeSelector`')
    checkNodeSelectorTerms(nodeSelector.nodeSelectorTerms, `${path}.nodeSelector.nodeSelectorTerms`, errors)
  }
  if (allNodes) set.push('`allNodes`')
  else if (allNodes === false) errors.push(invalid(`${path}.allNodes`, false, 'must be either unset or set to true'))
  if (set.length === 0) errors.push(required(path, ONE_PLACE))
  if (set.length > 1) errors.push(invalid(path, `{${set.join(', ')}}`, ONE_PLACE))
}

function checkAmounts({ attributes = {}, capacity = {} }: Device, path: string, errors: Errors): void {
  const values = Object.keys(attributes).length
  const entries = values + Object.keys(capacity).length
  if (entries > ENTRIES) {
    const message = `the total number of attributes and capacities must not exceed ${ENTRIES}`
    errors.push(invalid(path, entries, message))
  }
  if (values > VALUES)
    errors.push(invalid(path, values, `the total number of attribute values must not exceed ${VALUES}`))
}

/** `sameTaints`: they stood there already, and are not looked at again. */
export function checkDevice(
  device: Device,
  { perDevice, sameTaints }: { perDevice: boolean; sameTaints: boolean },
  path: string,
  errors: Errors,
): void {
  checkShortName(device.name, `${path}.name`, errors)
  checkAmounts(device, path, errors)
  for (const [key, attribute] of Object.entries(device.attributes ?? {})) {
    checkAttributeName(key, `${path}.attributes`, errors)
    checkAttribute(attribute, entry(`${path}.attributes`, shortened(key, KEY_MAX)), errors)
  }
  for (const [key, capacity] of Object.entries(device.capacity ?? {})) {
    checkAttributeName(key, `${path}.capacity`, errors)
    const at = entry(`${path}.capacity`, shortened(key, KEY_MAX))
    checkCapacity(capacity, device.allowMultipleAllocations === true, at, errors)
  }
  if (!sameTaints) checkList(device.taints, TAINTS, checkTaint, `${path}.taints`, errors)
  const consumptions = { max: CONSUMPTIONS, key: (one: DeviceCounterConsumption) => one.counterSet ?? '' }
  checkSet(device.consumesCounters, consumptions, checkConsumption, `${path}.consumesCounters`, errors)
  checkPlace(device, perDevice, path, errors)
  checkBindingConditions(device, path, errors)
}
