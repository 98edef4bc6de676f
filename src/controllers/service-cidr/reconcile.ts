/** What becomes of a network of services: held while addresses in it are used, ready while it lives (KEP-1880). */
import type { IPAddress, ServiceCIDR } from '../../api/generated/types/networking-v1.ts'
import { ServiceCIDR as Kind } from '../../api/kinds/networking/service-cidr.ts'
import { parseTime, rfc3339 } from '../../api/machinery/time.ts'
import { after, type Plan } from '../../control/plan.ts'
import { inCidr, isWithin, parseCidr } from '../../lib/ip-range.ts'

export const FINALIZER = 'networking.k8s.io/service-cidr-finalizer'
const MANAGED_BY = 'ipaddress.kubernetes.io/managed-by'
const MANAGER = 'ipallocator.k8s.io'
/** Who gives addresses away must have seen the end of the network before it goes, in ms. */
const GRACE = 10_000

interface Condition {
  readonly type: 'Ready'
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

const READY: Condition = { type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' }
/** The cluster's own network. */
const OWN = 'kubernetes'
const TERMINATING: Condition = {
  type: 'Ready',
  status: 'False',
  reason: 'Terminating',
  message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
}

function network(text: string) {
  try {
    return parseCidr(text)
  } catch {
    return undefined
  }
}
const networks = ({ spec }: ServiceCIDR) => (spec?.cidrs ?? []).map(network).filter(each => each !== undefined)
const contains = (of: ServiceCIDR, address: string) => networks(of).some(each => inCidr(each, address))

/** Whether every network of `own` lies in one of another's. */
function isCovered(own: ServiceCIDR, others: readonly ServiceCIDR[]): boolean {
  const around = others.flatMap(networks)
  return networks(own).every(network => around.some(each => isWithin(network, each)))
}

/** Addresses that would have no network without `own`. */
function strands(own: ServiceCIDR, others: readonly ServiceCIDR[], addresses: readonly IPAddress[]): boolean {
  return addresses.some(({ metadata }) => {
    const name = metadata?.name ?? ''
    if (metadata?.labels?.[MANAGED_BY] !== MANAGER || !contains(own, name)) return false
    return !others.some(each => contains(each, name))
  })
}

/** Sets the condition; undefined when it says so already. */
function withCondition(object: ServiceCIDR, { reason, ...next }: Condition, now: number): ServiceCIDR | undefined {
  const all = object.status?.conditions ?? []
  const known = all.find(({ type }) => type === next.type)
  // The server's own words for the first network stand.
  if (known?.status === next.status && (next.status === 'True' || known.message === next.message)) return undefined
  const since = known?.status === next.status ? known.lastTransitionTime : rfc3339(now)
  const condition = { ...next, reason, lastTransitionTime: since }
  return { ...object, status: { conditions: [...all.filter(({ type }) => type !== next.type), condition] } }
}

export function reconcile(
  object: ServiceCIDR,
  all: readonly ServiceCIDR[],
  addresses: readonly IPAddress[],
  now: number,
): Plan {
  const { finalizers = [], deletionTimestamp, name } = object.metadata ?? {}
  const held = finalizers.includes(FINALIZER)
  const update = (next: ServiceCIDR): Plan => ({
    writes: [{ type: 'update', resource: Kind, current: object, next }],
  })
  const tell = (condition: Condition): Plan => {
    const next = withCondition(object, condition, now)
    return next ? { writes: [{ type: 'status', resource: Kind, current: object, next }] } : {}
  }
  const holding = (list: string[]): ServiceCIDR => ({ ...object, metadata: { ...object.metadata!, finalizers: list } })
  const ready = name === OWN ? { ...READY, message: 'Kubernetes default Service CIDR is ready' } : READY
  if (!deletionTimestamp) return held ? tell(ready) : update(holding([...finalizers, FINALIZER]))
  if (!held) return {}
  const others = all.filter(each => each.metadata?.name !== name)
  if (!isCovered(object, others) && strands(object, others, addresses)) return tell(TERMINATING)
  const left = GRACE - (now - (parseTime(deletionTimestamp) ?? 0))
  if (left > 0) return { requeue: after(left) }
  return update(holding(finalizers.filter(each => each !== FINALIZER)))
}
