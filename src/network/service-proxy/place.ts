/** Where this node is: its name, and the zone that its Node object names, followed by a watch of that one object. */
import type { Node as NodeType } from '../../api/generated/types/core-v1.ts'
import { Node } from '../../api/kinds/core/node.ts'
import type { Informers } from '../../client/informers.ts'
import type { Place } from './endpoints.ts'

const ZONE = 'topology.kubernetes.io/zone'

export interface FollowedPlace {
  now(): Place
  /** Calls `moved` when the zone is another one. */
  follow(moved: () => void): void
}

/** Starts the watch; resolves when what is known of the node is known here. */
export async function followPlace(informers: Informers, nodeName: string): Promise<FollowedPlace> {
  const nodes = informers.of<NodeType>(Node, { fieldSelector: `metadata.name=${nodeName}` })
  await nodes.synced()
  const zone = () => nodes.get(nodeName)?.metadata?.labels?.[ZONE]
  return {
    now() {
      const here = zone()
      return { nodeName, ...(here && { zone: here }) }
    },
    follow(moved) {
      let last = zone()
      nodes.onChange(() => {
        if (zone() === last) return
        last = zone()
        moved()
      })
    },
  }
}
