/** Rules of EndpointSlice (k8s.io/kubernetes `pkg/apis/discovery/validation`). */
import type { Endpoint, EndpointPort, EndpointSlice } from '../../generated/types/discovery-v1.ts'
import { duplicate, invalid, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isDns1123Subdomain } from '../../machinery/names.ts'
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
  checkSubdomain,
  immutable,
  sameValue,
} from '../rules.ts'

function checkAddress(address: string, type: string, path: string, index: number, errors: Errors): void {
  const at = `${path}[${index}]`
  if (type === 'FQDN') {
    checkSubdomain(address, at, errors)
    if (!address.includes('.'))
      errors.push(invalid(at, address, 'should be a domain with at least two segments separated by dots'))
    return
  }
  if (type !== 'IPv4' && type !== 'IPv6') return
  if (!checkIp(address, at, errors)) return
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
  checkMaxItems(hints?.forZones ?? [], 8, `${path}.hints.forZones`, errors)
  checkMaxItems(hints?.forNodes ?? [], 8, `${path}.hints.forNodes`, errors)
}

function checkPorts(ports: readonly EndpointPort[], errors: Errors): void {
  checkMaxItems(ports, 20_000, 'ports', errors)
  const names = new Set<string>()
  for (const [index, { name = '', protocol, appProtocol }] of ports.entries()) {
    const path = `ports[${index}]`
    if (name) checkLabelName(name, `${path}.name`, errors)
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
    names.add(name)
    checkEnum(protocol, PROTOCOLS, `${path}.protocol`, errors)
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
