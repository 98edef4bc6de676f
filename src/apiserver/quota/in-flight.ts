import type { ResourceList } from '../../api/kinds/core/resources.ts'
import { add } from '../../api/quota/amounts.ts'
import type { AdmissionAttributes } from '../admission/plugin.ts'
import type { KindReader } from '../registry/registry.ts'

/** Writes that quotas were charged for and that may not be seen in the registry yet. */
export interface InFlight {
  /** By name of the quota. */
  begin(request: AdmissionAttributes, amounts: ReadonlyMap<string, ResourceList>): void
  /** Names of the quotas that it was charged to. */
  end(request: AdmissionAttributes): readonly string[]
  /** What is charged to a quota and not seen. */
  unseen(namespace: string, quota: string): ResourceList
}

/** Keeps them. `reader` tells what is seen. */
export function inFlightWrites(reader: (request: AdmissionAttributes) => KindReader): InFlight {
  const byNamespace = new Map<string, Map<AdmissionAttributes, ReadonlyMap<string, ResourceList>>>()

  const isSeen = (request: AdmissionAttributes) => {
    const { namespace, name, old } = request
    const stored = reader(request).get(namespace, name)
    return old ? stored?.value.metadata?.resourceVersion !== old.metadata?.resourceVersion : stored !== undefined
  }
  return {
    begin(request, amounts) {
      let writes = byNamespace.get(request.namespace)
      if (!writes) byNamespace.set(request.namespace, (writes = new Map()))
      writes.set(request, amounts)
    },
    end(request) {
      const writes = byNamespace.get(request.namespace)
      const amounts = writes?.get(request)
      if (!writes || !amounts) return []
      writes.delete(request)
      if (!writes.size) byNamespace.delete(request.namespace)
      return [...amounts.keys()]
    },
    unseen(namespace, quota) {
      let total: ResourceList = {}
      for (const [request, amounts] of byNamespace.get(namespace) ?? []) {
        const amount = amounts.get(quota)
        if (amount && !isSeen(request)) total = add(total, amount)
      }
      return total
    },
  }
}
