/**
 * What a gateway has to tell. One machine leads: it tells Ingresses where they are served and what is wrong with them.
 * Gateways on other nodes serve the same, and tell what they listen on.
 */
import type { Node as NodeType } from '../../api/generated/types/core-v1.ts'
import { Node } from '../../api/kinds/core/node.ts'
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import type { Client } from '../../client/client.ts'
import { keyOf } from '../../client/informer-types.ts'
import type { Informers } from '../../client/informers.ts'
import type { Port } from '../server/ports.ts'
import { INGRESS_PORTS, placesOf, portsText } from './node-ports.ts'
import { type PlacePort, statusOf, writeStatus } from './status.ts'

export interface Ports {
  readonly plain: Port
  readonly secure: Port
}

export interface Role {
  /** Whether it tells Ingresses what is wrong with them, beside its own ports. */
  readonly leads: boolean
  /** Whose ports they are, in words. */
  readonly machine: string
  /** Tells where Ingresses are served; `all` are those of other controllers, too. */
  tell(served: readonly Ingress[], all: readonly Ingress[], ports: Ports): Promise<void>
  /** Calls `changed` when `tell` would tell something else; returns what ends it. */
  follow(changed: () => void): () => void
  /** Takes back what must not stay when this gateway ends. */
  end(): Promise<void>
}

const seen = (port: Port): PlacePort => ({ number: port.number(), missing: port.why() !== undefined })

export interface LeadingDeps {
  readonly client: Client
  readonly informers: Informers
  /** By which clients reach this machine. */
  readonly address: string
}

/** Of the machine that leads. */
export function leading({ client, informers, address }: LeadingDeps): Role {
  // Followed from the first Ingress on.
  const nodes = () => informers.of<NodeType>(Node)
  let before = new Set<string>()
  return {
    leads: true,
    machine: 'this machine',
    async tell(served, all, { plain, secure }) {
      await nodes().synced()
      const places = [{ address, plain: seen(plain), secure: seen(secure) }, ...placesOf(nodes().list())]
      const last = before
      before = new Set(served.map(keyOf))
      for (const ingress of served) await writeStatus(client, ingress, statusOf(ingress, places))
      // Of those that are somebody else's now, what was said is taken back.
      for (const ingress of all)
        if (last.has(keyOf(ingress)) && !before.has(keyOf(ingress))) await writeStatus(client, ingress, [])
    },
    follow(changed) {
      let told = ''
      return nodes().onChange(() => {
        const now = JSON.stringify(placesOf(nodes().list()))
        if (now === told) return
        told = now
        changed()
      })
    },
    end: async () => {},
  }
}

/** Of another node; `client` is that of the node itself, which may write its object. */
export function following(client: Client, name: string): Role {
  let told: string | null = null
  async function say(text: string | null) {
    if (text === told) return
    const body = { metadata: { annotations: { [INGRESS_PORTS]: text } } }
    await client.kind<NodeType>(Node).patch({ name }, body, { type: 'merge' })
    told = text
  }
  return {
    leads: false,
    machine: `node ${name}`,
    tell: (served, _, { plain, secure }) => say(served.length ? portsText(seen(plain), seen(secure)) : null),
    follow: () => () => {},
    end: () => say(null),
  }
}
