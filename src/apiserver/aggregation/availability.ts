/** Whether an aggregated server can be asked: the condition `Available` of an APIService, as upstream words it. */
import type { APIService } from '../../api/generated/types/apiregistration-v1.ts'
import type { Service } from '../../api/generated/types/core-v1.ts'
import { readyEndpoint, type ServiceReaders, slicesOf } from '../services/endpoint.ts'
import type { Condition } from './api-service.ts'

export type Finding = Omit<Condition, 'lastTransitionTime'>

const unavailable = (reason: string, message: string): Finding => ({
  type: 'Available',
  status: 'False',
  reason,
  message,
})

export const LOCAL: Finding = {
  type: 'Available',
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
}

export const PASSED: Finding = { type: 'Available', status: 'True', reason: 'Passed', message: 'all checks passed' }

export const failedDiscovery = (message: string) => unavailable('FailedDiscoveryCheck', message)

/** Servers are asked only where a server can be: undefined when there is nothing against it. */
export function obstacle(readers: ServiceReaders, { spec }: APIService): Finding | undefined {
  const { namespace = '', name = '', port = 443 } = spec?.service ?? {}
  const where = `service/${name} in ${JSON.stringify(namespace)}`
  const service = readers.services.get(namespace, name)?.value as Service | undefined
  if (!service) return unavailable('ServiceNotFound', `${where} is not present`)
  if (service.spec?.type !== 'ClusterIP') return undefined
  const found = service.spec.ports?.find(each => each.port === port)
  if (!found) return unavailable('ServicePortError', `${where} is not listening on port ${port}`)
  const slices = slicesOf(readers, namespace, name)
  if (!slices.length) return unavailable('EndpointsNotFound', `cannot find endpointslices for ${where}`)
  const portName = found.name ?? ''
  if (readyEndpoint(slices, portName, readers.random)) return undefined
  return unavailable(
    'MissingEndpoints',
    `endpointslices for ${where} have no addresses with port name ${JSON.stringify(portName)}`,
  )
}
