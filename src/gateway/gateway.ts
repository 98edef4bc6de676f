/**
 * HTTP traffic into the cluster. Ingresses are served now; the way from their routes to a backend (`routing/`, `proxy/`)
 * knows nothing of them. Until there is an Ingress, nothing of it is loaded, followed or listened on.
 */
import { Ingress, type Ingress as IngressType } from '../api/kinds/networking/ingress.ts'
import type { Client } from '../client/client.ts'
import type { Informers } from '../client/informers.ts'
import type { Component } from '../control/lifetime.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import type { ServiceSource } from './backends/source.ts'
import type { DataPlane, DataPlaneEvents } from './data-plane.ts'
import { ensureIngressClass } from './ingress/class.ts'
import type { Role } from './ingress/role.ts'

export interface GatewayOptions {
  /** As the gateway's own account. */
  readonly client: Client
  readonly informers: Informers
  readonly services: ServiceSource
  /** Makes what carries requests. */
  openDataPlane(events: DataPlaneEvents): Promise<DataPlane>
  readonly role: Role
  /** Calls `then` when the first object of a kind is there, or at once; returns what forgets it. */
  whenUsed(key: string, then: () => void): () => void
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes the component. */
export const ingressGateway = (options: GatewayOptions): Component => ({
  name: 'ingress-controller',
  async run(signal) {
    if (options.role.leads) await ensureIngressClass(options.client)
    const isUsed = await new Promise<boolean>(resolve => {
      const forget = options.whenUsed(Ingress.key, () => resolve(true))
      signal.addEventListener('abort', () => {
        forget()
        resolve(false)
      })
      if (signal.aborted) resolve(false)
    })
    if (!isUsed || signal.aborted) return
    const { serveIngresses } = await import('./ingress/serve.ts')
    await serveIngresses(options, signal)
  },
})

/** The component of a node on another machine, which learns of the first Ingress by a watch. */
export const nodeGateway = (options: Omit<GatewayOptions, 'whenUsed'>): Component =>
  ingressGateway({
    ...options,
    whenUsed(_, then) {
      let isUsed = false
      return options.informers.of<IngressType>(Ingress).onChange(({ current }) => {
        if (!current || isUsed) return
        isUsed = true
        then()
      })
    },
  })
