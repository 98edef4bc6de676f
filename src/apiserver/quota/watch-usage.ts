/** Notices what changes the usage of quotas without having been charged: objects that go, end or shrink. */
import type { ResourceQuota } from '../../api/generated/types/core-v1.ts'
import type { Encoded } from '../../api/machinery/encoded.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { sameAmounts } from '../../api/quota/amounts.ts'
import { evaluatorOf } from '../../api/quota/evaluators.ts'
import type { Clock } from '../../lib/clock.ts'
import type { KindReader } from '../registry/registry.ts'
import { countedKinds } from './recount.ts'

export interface UsageWatchDeps {
  kinds(): readonly Kind[]
  reader(kind: Kind): KindReader
  readonly quotas: KindReader
  readonly clock: Clock
  /** A quota of a namespace must be counted again. */
  recount(namespace: string, quota: string): void
}

/** Many objects that go together are counted together: this long after the first, in ms. */
const GATHER = 10

const hardOf = (quota: ResourceQuota) => Object.keys(quota.spec?.hard ?? {})

/** Starts noticing. Kinds are watched once a quota counts them: a cluster without quotas pays nothing. */
export function watchUsage(deps: UsageWatchDeps): { watchKinds(names: readonly string[]): void } {
  const watched = new Map<string, Kind>()
  const gathering = new Set<string>()

  function later(namespace: string) {
    if (gathering.has(namespace)) return
    gathering.add(namespace)
    deps.clock.after(GATHER, () => {
      gathering.delete(namespace)
      for (const { value } of deps.quotas.list(namespace)) deps.recount(namespace, value.metadata?.name ?? '')
    })
  }

  function watchKind(kind: Kind) {
    watched.set(kind.key, kind)
    const evaluator = evaluatorOf(kind)!
    deps.reader(kind).onChange((previous, current) => {
      // What is new was charged.
      if (!previous) return
      const namespace = previous.value.metadata?.namespace ?? ''
      if (!deps.quotas.list(namespace).length) return
      const now = deps.clock.now()
      const same = current && sameAmounts(evaluator.usage(previous.value, now), evaluator.usage(current.value, now))
      if (!same) later(namespace)
    })
  }

  const watchKinds = (names: readonly string[]) => {
    for (const kind of countedKinds(deps.kinds(), names)) if (watched.get(kind.key) !== kind) watchKind(kind)
  }

  const noticeQuota = (previous: Encoded | undefined, current: Encoded | undefined) => {
    if (!current) return
    const quota = current.value as ResourceQuota
    const before = previous?.value as ResourceQuota | undefined
    const hard = quota.spec?.hard ?? {}
    // A status that says other limits was written by someone who does not count: it is put right.
    const isTold = sameAmounts(quota.status?.hard ?? {}, hard)
    if (before && isTold && sameAmounts(before.spec?.hard ?? {}, hard)) return
    watchKinds(hardOf(quota))
    deps.recount(quota.metadata?.namespace ?? '', quota.metadata?.name ?? '')
  }
  deps.quotas.onChange(noticeQuota)
  for (const quota of deps.quotas.list()) noticeQuota(undefined, quota)
  return { watchKinds }
}
