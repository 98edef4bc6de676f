/** Environment variables that tell a pod where services are, as Kubernetes and Docker links name them. */
import type { Service } from '../api/generated/types/core-v1.ts'
import { hasClusterIp, type TransportProtocol } from './service-proxy/service-ports.ts'

/** Where a port of a service is reached from a pod; undefined: at the service's own address. */
export type ServiceLocator = (
  service: string,
  port: number,
  protocol: TransportProtocol,
) => { readonly host: string; readonly port: number } | undefined

const variable = (text: string) => text.toUpperCase().replaceAll('-', '_')

/** The variables of some services. Headless ones and ExternalNames have none. */
export function serviceVariables(services: readonly Service[], locate: ServiceLocator): Record<string, string> {
  const env: Record<string, string> = {}
  for (const service of services) {
    const { metadata, spec } = service
    if (!hasClusterIp(service) || !spec?.ports?.length) continue
    const prefix = variable(metadata?.name ?? '')
    spec.ports.forEach((port, at) => {
      const protocol = (port.protocol ?? 'TCP').toLowerCase() as TransportProtocol
      const place = locate(`${metadata?.namespace}/${metadata?.name}`, port.port, protocol)
      const { host, port: number } = place ?? { host: spec.clusterIP!, port: port.port }
      if (at === 0) {
        env[`${prefix}_SERVICE_HOST`] = host
        env[`${prefix}_SERVICE_PORT`] = String(number)
        env[`${prefix}_PORT`] = `${protocol}://${host}:${number}`
      }
      if (port.name) env[`${prefix}_SERVICE_PORT_${variable(port.name)}`] = String(number)
      const link = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`
      env[link] = `${protocol}://${host}:${number}`
      env[`${link}_PROTO`] = protocol
      env[`${link}_PORT`] = String(number)
      env[`${link}_ADDR`] = host
    })
  }
  return env
}
