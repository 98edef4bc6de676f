/** Rules of EndpointSlice (k8s.io/kubernetes `pkg/apis/discovery/validation`). */
import type { Endpoint, EndpointPort, EndpointSlice } from '../../generated/types/discovery-v1.ts'
import { duplicate, invalid, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isDns1123Label, isDns1123Subdomain, isLabelValue } from '../../machinery/names.ts'
import { PROTOCOLS } from '../core/container.validate.ts'
import { checkEndpointIp, checkIp, ipFamily } from '../ip.ts'
import type { Errors } from '../rules.ts'
import {
  check,
  checkEnum,
  checkFormat,
  checkLabelName,
  checkMaxItems,
  checkQualifiedName,
  checkSupported,
  immutable,
  sameValue,
} from '../rules.ts'

const MAX_HINTS = 8

/** A name of at least two labels, with or without a dot at its end. */
function checkDomain(address: string, path: string, errors: Errors): void {
  if (address === '') {
    errors.push(required(path))
    return
  }
  const name = address.replace(/\.$/, '')
  const problems = isDns1123Subdomain(name)
  const labels = name.split('.')
  if (problems.length) errors.push(invalid(path, name, problems.join(',')))
  else if (labels.length < 2) {
    errors.push(invalid(path, name, 'should be a domain with at least two segments separated by dots'))
  } else {
    for (const label of labels) {
      const faults = isDns1123Label(label)
      if (faults.length) errors.push(invalid(path, label, faults.join(',')))
    }
  }
}

/** Names of zones or nodes, each another. */
function checkHints(
  hints: readonly { readonly name: string }[] | undefined,
  path: string,
  faults: (name: string) => readonly string[],
  errors: Errors,
): boolean {
  const names = new Set<string>()
  checkMaxItems(hints ?? [], MAX_HINTS, path, errors)
  if ((hints?.length ?? 0) > MAX_HINTS) return false
  for (const [index, { name = '' }] of (hints ?? []).entries()) {
    const at = `${path}[${index}].name`
    if (names.has(name)) errors.push(duplicate(at, name))
    names.add(name)
    checkFormat(faults(name), name, at, errors)
  }
  return true
}

function checkAddress(address: string, type: string, path: string, index: number, errors: Errors): void {
  const at = `${path}[${index}]`
  if (type === 'FQDN') {
    checkDomain(address, at, errors)
    return
  }
  if (type !== 'IPv4' && type !== 'IPv6') return
  // Only the older of the two took other forms.
  if (!checkIp(address, at, errors, { canonical: type === 'IPv6' })) return
  if (`IPv${ipFamily(address)}` !== type) errors.push(invalid(path, address, `must be an ${type} address`))
  checkEndpointIp(address, at, errors)
}

function checkEndpoint(endpoint: Endpoint, type: string, path: string, errors: Errors): void {
  const { addresses = [], nodeName, hostname, hints } = endpoint
  const at = `${path}.addresses`
  if (!addresses.length) errors.push(required(at, 'must contain at least 1 address'))
  checkMaxItems(addresses, 100, at, errors)
  for (const [index, address] of addresses.entries()) checkAddress(address, type, at, index, errors)
  if (nodeName !== undefined) checkFormat(isDns1123Subdomain(nodeName), nodeName, `${path}.nodeName`, errors)
  if (hostname !== undefined) checkLabelName(hostname, `${path}.hostname`, errors)
  if (!checkHints(hints?.forZones, `${path}.hints.forZones`, isLabelValue, errors)) return
  checkHints(hints?.forNodes, `${path}.hints.forNodes`, isDns1123Subdomain, errors)
}

function checkPorts(ports: readonly EndpointPort[], errors: Errors): void {
  checkMaxItems(ports, 20_000, 'ports', errors)
  const names = new Set<string>()
  for (const [index, { name = '', protocol, appProtocol }] of ports.entries()) {
    const path = `ports[${index}]`
    if (name) checkLabelName(name, `${path}.name`, errors)
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
    names.add(name)
    checkSupported(protocol, PROTOCOLS, `${path}.protocol`, errors)
    if (appProtocol !== undefined) checkQualifiedName(appProtocol, `${path}.appProtocol`, errors)
  }
}

export const endpointSliceRules: readonly Rule<EndpointSlice>[] = [
  check((next, errors, old) => {
    checkEnum(next.addressType, ['FQDN', 'IPv4', 'IPv6'], 'addressType', errors)
    checkPorts(next.ports ?? [], errors)
    if (old && sameValue(old.endpoints, next.endpoints)) return
    checkMaxItems(next.endpoints ?? [], 1000, 'endpoints', errors)
    for (const [index, endpoint] of (next.endpoints ?? []).entries()) {
      checkEndpoint(endpoint, next.addressType, `endpoints[${index}]`, errors)
    }
  }),
  immutable('addressType'),
]
