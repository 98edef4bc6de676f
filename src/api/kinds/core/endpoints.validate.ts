/** Rules of Endpoints (k8s.io/kubernetes `pkg/apis/core/validation`: ValidateEndpoints). */
import type { EndpointAddress, EndpointPort, Endpoints } from '../../generated/types/core-v1.ts'
import { required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isDns1123Subdomain, isPortNumber } from '../../machinery/names.ts'
import { checkEndpointIp, checkIp } from '../ip.ts'
import type { Errors } from '../rules.ts'
import { check, checkEnum, checkFormat, checkLabelName, checkQualifiedName, sameValue } from '../rules.ts'
import { PROTOCOLS } from './container.validate.ts'

function checkAddress({ ip, hostname, nodeName }: EndpointAddress, path: string, errors: Errors): void {
  checkIp(ip, `${path}.ip`, errors)
  // Upstream looks twice, and says so.
  checkEndpointIp(ip ?? '', `${path}.ip`, errors)
  if (hostname) checkLabelName(hostname, `${path}.hostname`, errors)
  if (nodeName !== undefined) checkFormat(isDns1123Subdomain(nodeName), nodeName, `${path}.nodeName`, errors)
}

function checkPort(port: EndpointPort, needsName: boolean, path: string, errors: Errors): void {
  if (port.name) checkLabelName(port.name, `${path}.name`, errors)
  else if (needsName) errors.push(required(`${path}.name`))
  checkFormat(isPortNumber(port.port ?? 0), port.port ?? 0, `${path}.port`, errors)
  checkEnum(port.protocol, PROTOCOLS, `${path}.protocol`, errors)
  if (port.appProtocol !== undefined) checkQualifiedName(port.appProtocol, `${path}.appProtocol`, errors)
}

export const endpointsRules: readonly Rule<Endpoints>[] = [
  check((next, errors, old) => {
    if (old && sameValue(old.subsets, next.subsets)) return
    for (const [index, subset] of (next.subsets ?? []).entries()) {
      const path = `subsets[${index}]`
      const { addresses = [], notReadyAddresses = [], ports = [] } = subset
      if (!addresses.length && !notReadyAddresses.length) {
        errors.push(required(path, 'must specify `addresses` or `notReadyAddresses`'))
      }
      for (const [at, one] of addresses.entries()) checkAddress(one, `${path}.addresses[${at}]`, errors)
      for (const [at, one] of notReadyAddresses.entries()) checkAddress(one, `${path}.notReadyAddresses[${at}]`, errors)
      for (const [at, port] of ports.entries()) checkPort(port, ports.length > 1, `${path}.ports[${at}]`, errors)
    }
  }),
]
