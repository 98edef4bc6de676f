/** What a write takes from the quotas of its namespace, and whether they have it (pure). */
import type { ResourceQuota } from '../generated/types/core-v1.ts'
import type { ResourceList } from '../kinds/core/resources.ts'
import { add, beyond, describe, excess, mask, negatives, withoutZeros } from './amounts.ts'
import { type Evaluator, isAbout, type Write } from './evaluator.ts'

/** Why a write is refused, as after `… is forbidden: `. */
export class QuotaRefusal extends Error {
  override readonly name = 'QuotaRefusal'
}

/** What one quota is charged with. */
export interface Charge {
  readonly quota: ResourceQuota
  /** What it has used with this write. */
  readonly used: ResourceList
  /** What of that is this write's. */
  readonly amount: ResourceList
}

const names = (list: readonly string[]) => [...list].sort().join(',')

/** Refuses an object that does not say what a quota limits, and a quota that nobody has counted yet. */
function check(quota: ResourceQuota, evaluator: Evaluator, object: Write['object'], hard: ResourceList): void {
  const name = quota.metadata?.name ?? ''
  const restricted = evaluator.matching(Object.keys(hard))
  const missing = evaluator.missing?.(object!, restricted)
  if (missing) throw new QuotaRefusal(`failed quota: ${name}: ${missing}`)
  if (restricted.some(each => quota.status?.used?.[each] === undefined))
    throw new QuotaRefusal(`status unknown for quota: ${name}, resources: ${names(restricted)}`)
}

function chargeOne(quota: ResourceQuota, delta: ResourceList, hard: ResourceList, free: boolean): Charge | undefined {
  const amount = mask(withoutZeros(delta), Object.keys(hard))
  if (!Object.keys(amount).length) return undefined
  const { used = {} } = quota.status ?? {}
  const next = add(used, amount)
  const exceeded = free ? [] : beyond(mask(next, Object.keys(amount)), hard)
  if (exceeded.length) {
    const [asked, had, limit] = [amount, used, hard].map(each => describe(mask(each, exceeded)))
    throw new QuotaRefusal(
      `exceeded quota: ${quota.metadata?.name ?? ''}, requested: ${asked}, used: ${had}, limited: ${limit}`,
    )
  }
  return { quota, used: next, amount }
}

/**
 * The charges of a write on quotas of its namespace. Throws a QuotaRefusal for the first reason against it.
 */
export function chargesOf(quotas: readonly ResourceQuota[], evaluator: Evaluator, write: Write, now: number): Charge[] {
  const object = write.object!
  const hardOf = (quota: ResourceQuota): ResourceList => quota.status?.hard ?? {}
  const about = quotas.filter(quota => isAbout(quota, hardOf(quota), evaluator, object))
  for (const quota of about) check(quota, evaluator, object, hardOf(quota))
  if (!about.length) return []
  const usage = evaluator.usage(object, now)
  const below = negatives(usage)
  if (below.length) throw new QuotaRefusal(`quota usage is negative for resource(s): ${names(below)}`)
  const before = write.operation === 'UPDATE' && write.old ? evaluator.usage(write.old, now) : undefined
  return about.flatMap(quota => {
    const counted = before && isAbout(quota, hardOf(quota), evaluator, write.old!)
    const delta = counted ? excess(usage, before) : usage
    return chargeOne(quota, delta, hardOf(quota), write.subresource === 'status') ?? []
  })
}
