/** A node on another machine serves Ingresses at its own addresses, as the machine that leads does. */
import type { Client } from '../../client/client.ts'
import { runAll } from '../../control/lifetime.ts'
import { nodeGateway } from '../../gateway/gateway.ts'
import { following } from '../../gateway/ingress/role.ts'
import type { CountedElsewhere } from '../../gateway/metrics.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { Network } from '../../network/network.ts'
import type { NetworkApi } from '../../network/parts.ts'
import { type IngressSettings, ingressPorts } from '../configuration/ingress.ts'
import { dataPlaneOf } from '../ingress-data-plane.ts'

export interface NodeIngressDeps {
  /** As the server says it. */
  readonly settings: IngressSettings
  readonly nodeName: string
  /** Addresses of this machine to listen at. */
  readonly hosts: readonly string[]
  /** The node's own, which writes its object. */
  readonly node: Client
  /** Of the node's traffic, which sees Ingresses. */
  readonly traffic: NetworkApi
  readonly services: Network['services']
  readonly counted: CountedElsewhere
  readonly clock: Clock
  readonly logger: Logger
}

/** Serves them until `signal` aborts; resolves then. */
export function serveNodeIngresses(deps: NodeIngressDeps, signal: AbortSignal): Promise<void> {
  const { settings, nodeName, hosts, node, traffic, services, counted, clock, logger } = deps
  const component = nodeGateway({
    client: traffic.client,
    informers: traffic.informers,
    services,
    role: following(node, nodeName),
    openDataPlane: dataPlaneOf({
      ports: ingressPorts(settings),
      trustedProxies: settings.trustedProxies,
      ...{ hosts, counted, clock, logger },
    }),
    ...{ clock, logger },
  })
  return runAll([component], { clock, logger }, signal)
}
