/** What a claim asks for (k8s.io/kubernetes `pkg/apis/resource/validation`). */
import type {
  DeviceClaim,
  DeviceClaimConfiguration,
  DeviceConstraint,
  DeviceRequest,
  ExactDeviceRequest,
  ResourceClaimSpec,
} from '../../generated/types/resource-v1.ts'
import { invalid, notSupported, required } from '../../machinery/field-error.ts'
import { checkSubdomain, type Errors } from '../rules.ts'
import { checkList, checkSet, itself } from './lists.validate.ts'
import { checkFullAttributeName, checkShortName } from './names.validate.ts'
import { checkConfiguration, checkSelectors } from './selector.validate.ts'
import { checkToleration } from './taint.validate.ts'

/** Most requests, constraints and configurations of one claim. */
export const REQUESTS = 32
const ALTERNATIVES = 8
const MODES = ['All', 'ExactCount']

function checkMode({ allocationMode, count = 0 }: ExactDeviceRequest, path: string, errors: Errors): void {
  if (allocationMode === 'All') {
    if (count !== 0) {
      errors.push(invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"))
    }
  } else if (allocationMode !== 'ExactCount') {
    errors.push(notSupported(`${path}.allocationMode`, allocationMode ?? '', MODES))
  } else if (count <= 0) errors.push(invalid(`${path}.count`, count, 'must be greater than zero'))
}

function checkExact(request: ExactDeviceRequest, path: string, errors: Errors): void {
  if (request.deviceClassName) checkSubdomain(request.deviceClassName, `${path}.deviceClassName`, errors)
  else errors.push(required(`${path}.deviceClassName`))
  checkSelectors(request.selectors, `${path}.selectors`, errors)
  checkMode(request, path, errors)
  for (const [index, toleration] of (request.tolerations ?? []).entries()) {
    checkToleration(toleration, `${path}.tolerations[${index}]`, errors)
  }
}

const EITHER = 'exactly one of `exactly` or `firstAvailable` is required'

function checkRequest({ name, exactly, firstAvailable }: DeviceRequest, path: string, errors: Errors): void {
  checkShortName(name, `${path}.name`, errors)
  const alternatives = firstAvailable?.length ? firstAvailable : undefined
  if (exactly && alternatives) errors.push(invalid(path, null, `${EITHER}, but multiple fields are set`))
  else if (exactly) checkExact(exactly, `${path}.exactly`, errors)
  else if (!alternatives) errors.push(required(path, EITHER))
  else {
    const set = { max: ALTERNATIVES, key: (one: { name?: string }) => one.name ?? '' }
    const one = (request: ExactDeviceRequest & { name: string }, at: string, found: Errors) => {
      checkShortName(request.name, `${at}.name`, found)
      checkExact(request, at, found)
    }
    checkSet(alternatives, set, one, `${path}.firstAvailable`, errors)
  }
}

/** The names by which a claim's parts refer to its requests: `request` and `request/alternative`. */
export function requestNames({ requests = [] }: DeviceClaim): ReadonlySet<string> {
  const of = ({ name, firstAvailable = [] }: DeviceRequest) => [
    name,
    ...firstAvailable.map(one => `${name}/${one.name}`),
  ]
  return new Set(requests.flatMap(of))
}

const UNKNOWN = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

/** A reference to a request. */
export function checkRequestRef(names: ReadonlySet<string>) {
  return (name: string, path: string, errors: Errors) => {
    const parts = name.split('/')
    if (parts.length <= 2) for (const part of parts) checkShortName(part, path, errors)
    if (!names.has(name)) errors.push(invalid(path, name, UNKNOWN))
  }
}

function checkConstraint(constraint: DeviceConstraint, path: string, names: ReadonlySet<string>, errors: Errors): void {
  const { requests, matchAttribute, distinctAttribute } = constraint
  checkSet(requests, { max: REQUESTS, ...itself }, checkRequestRef(names), `${path}.requests`, errors)
  if (matchAttribute !== undefined) checkFullAttributeName(matchAttribute, `${path}.matchAttribute`, errors)
  else if (distinctAttribute !== undefined) {
    checkFullAttributeName(distinctAttribute, `${path}.distinctAttribute`, errors)
  } else {
    const wanted = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
    errors.push(required(path, wanted))
  }
}

/** A configuration that is for some of the requests. */
export function checkRequestConfiguration(
  config: DeviceClaimConfiguration,
  path: string,
  names: ReadonlySet<string>,
  errors: Errors,
): void {
  checkSet(config.requests, { max: REQUESTS, ...itself }, checkRequestRef(names), `${path}.requests`, errors)
  checkConfiguration(config, path, errors)
}

export function checkClaimSpec(spec: ResourceClaimSpec | undefined, path: string, errors: Errors): void {
  const devices = spec?.devices ?? {}
  const at = `${path}.devices`
  const names = requestNames(devices)
  checkSet(devices.requests, { max: REQUESTS, key: ({ name }) => name ?? '' }, checkRequest, `${at}.requests`, errors)
  const constraint = (one: DeviceConstraint, place: string) => checkConstraint(one, place, names, errors)
  checkList(devices.constraints, REQUESTS, constraint, `${at}.constraints`, errors)
  const config = (one: DeviceClaimConfiguration, place: string) => checkRequestConfiguration(one, place, names, errors)
  checkList(devices.config, REQUESTS, config, `${at}.config`, errors)
}
