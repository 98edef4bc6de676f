/** Every admission plugin, in the order in which they run (that of Kubernetes 1.36). */
import type { Kind } from '../../api/machinery/kind.ts'
import type { Clock } from '../../lib/clock.ts'
import type { KindReader } from '../registry/registry.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { priority } from './priority.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'
import { taintNodesByCondition } from './taint-nodes-by-condition.ts'

export interface AdmissionDeps {
  kind(key: string): Kind | undefined
  reader(kind: Kind): KindReader
  readonly clock: Clock
  /** A number from 0 to 1. */
  random(): number
}

/** Makes the plugins over a registry. */
export function admissionPlugins(deps: AdmissionDeps): AdmissionPlugin[] {
  const reader = (key: string) => {
    const kind = deps.kind(key)
    if (!kind) throw new Error(`admission needs the kind ${key}, which is not served`)
    return deps.reader(kind)
  }
  return [
    namespaceLifecycle(reader('v1/namespaces')),
    serviceAccount({ accounts: reader('v1/serviceaccounts'), clock: deps.clock, random: deps.random }),
    nodeRestriction({ pods: reader('v1/pods'), nodes: reader('v1/nodes') }),
    taintNodesByCondition,
    priority(reader('scheduling.k8s.io/v1/priorityclasses')),
    defaultTolerationSeconds,
    runtimeClass(reader('node.k8s.io/v1/runtimeclasses')),
  ]
}
