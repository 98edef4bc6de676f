/** Rules of ResourceSlices (k8s.io/kubernetes `pkg/apis/resource/validation`). */
import type { CounterSet, Device, ResourceSlice, ResourceSliceSpec } from '../../generated/types/resource-v1.ts'
import { invalid, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isDns1123Subdomain } from '../../machinery/names.ts'
import { checkNodeSelectorTerms } from '../core/scheduling.validate.ts'
import { check, checkFormat, type Errors, IMMUTABLE, sameValue } from '../rules.ts'
import { checkCounters, checkDevice } from './device.validate.ts'
import { checkSet } from './lists.validate.ts'
import { checkDriver, checkPool, checkShortName } from './names.validate.ts'

const DEVICES = 128
/** With taints or counters, which cost more to look at. */
const RICH_DEVICES = 64
const COUNTER_SETS = 8

function checkPoolOf(pool: Partial<ResourceSliceSpec['pool']>, path: string, errors: Errors): void {
  checkPool(pool.name, `${path}.name`, errors)
  const { resourceSliceCount = 0, generation = 0 } = pool
  if (resourceSliceCount <= 0) {
    errors.push(invalid(`${path}.resourceSliceCount`, resourceSliceCount, 'must be greater than zero'))
  }
  if (generation < 0) errors.push(invalid(`${path}.generation`, generation, 'must be greater than or equal to zero'))
}

const ONE_PLACE = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'

function checkPlace(spec: ResourceSliceSpec, errors: Errors): void {
  const { nodeName, nodeSelector } = spec
  const set: string[] = []
  if (nodeName) {
    set.push('`nodeName`')
    checkFormat(isDns1123Subdomain(nodeName), nodeName, 'spec.nodeName', errors)
  } else if (nodeName === '') {
    errors.push(invalid('spec.nodeName', '', 'must be either unset or set to a non-empty string'))
  }
  if (nodeSelector) {
    set.push('`nodeSelector`')
    const at = 'spec.nodeSelector.nodeSelectorTerms'
    const terms = nodeSelector.nodeSelectorTerms
    checkNodeSelectorTerms(terms, at, errors)
    if (terms?.length !== 1) errors.push(invalid(at, terms, 'must have exactly one node selector term'))
  }
  for (const field of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (spec[field]) set.push(`\`${field}\``)
    else if (spec[field] === false) errors.push(invalid(`spec.${field}`, false, 'must be either unset or set to true'))
  }
  if (set.length === 0) errors.push(required('spec', ONE_PLACE))
  if (set.length > 1) errors.push(invalid('spec', `{${set.join(', ')}}`, `${ONE_PLACE}, but multiple fields are set`))
}

function checkCounterSet({ name, counters }: CounterSet, path: string, errors: Errors): void {
  if (name) checkShortName(name, `${path}.name`, errors)
  else errors.push(required(`${path}.name`))
  checkCounters(counters, `${path}.counters`, errors)
}

const isRich = ({ taints, consumesCounters }: Device) => Boolean(taints?.length || consumesCounters?.length)

function checkDevices(spec: ResourceSliceSpec, old: ResourceSliceSpec | undefined, errors: Errors): void {
  const perDevice = spec.perDeviceNodeSelection === true
  const device = (one: Device, path: string, found: Errors) => {
    const before = old?.devices?.find(({ name }) => name === one.name)
    const sameTaints = before !== undefined && sameValue(before.taints, one.taints)
    checkDevice(one, { perDevice, sameTaints }, path, found)
  }
  const max = spec.devices?.some(isRich) ? RICH_DEVICES : DEVICES
  checkSet(spec.devices, { max, key: ({ name }) => name ?? '' }, device, 'spec.devices', errors)
}

/** A slice keeps its pool, driver and node. */
function checkUnchanged(spec: ResourceSliceSpec, old: Partial<ResourceSliceSpec>, errors: Errors): void {
  const name = spec.pool?.name ?? ''
  if (name !== (old.pool?.name ?? '')) errors.push(invalid('spec.pool.name', name, IMMUTABLE))
  if ((spec.driver ?? '') !== (old.driver ?? '')) errors.push(invalid('spec.driver', spec.driver ?? '', IMMUTABLE))
  if (!sameValue(spec.nodeName, old.nodeName)) errors.push(invalid('spec.nodeName', spec.nodeName, IMMUTABLE))
}

export const resourceSliceRules: readonly Rule<ResourceSlice>[] = [
  check<ResourceSlice>(({ spec }, errors, old) => {
    const all: ResourceSliceSpec = spec ?? ({} as ResourceSliceSpec)
    checkDriver(all.driver, 'spec.driver', errors)
    checkPoolOf(all.pool ?? {}, 'spec.pool', errors)
    if (old) checkUnchanged(all, old.spec ?? {}, errors)
    checkPlace(all, errors)
    if (all.sharedCounters && all.devices) {
      errors.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'))
    }
    checkDevices(all, old?.spec, errors)
    const sets = { max: COUNTER_SETS, key: ({ name }: CounterSet) => name ?? '' }
    checkSet(all.sharedCounters, sets, checkCounterSet, 'spec.sharedCounters', errors)
  }),
]
