/** What a quota's objects take, counted from what the registry holds. */
import type { ResourceQuota } from '../../api/generated/types/core-v1.ts'
import type { ResourceList } from '../../api/kinds/core/resources.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { add, mask } from '../../api/quota/amounts.ts'
import { evaluatorOf } from '../../api/quota/evaluators.ts'
import { scopesOf } from '../../api/quota/scopes.ts'
import type { KindReader } from '../registry/registry.ts'

export interface RecountDeps {
  kinds(): readonly Kind[]
  reader(kind: Kind): KindReader
  readonly clock: { now(): number }
}

/** The kinds that a quota with these names counts; of several that show the same objects the first. */
export function countedKinds(kinds: readonly Kind[], names: readonly string[]): Kind[] {
  const found = new Map<string, Kind>()
  for (const kind of kinds) {
    if (!kind.namespaced || kind.virtual) continue
    const key = `${kind.group}/${kind.plural}`
    if (!found.has(key) && evaluatorOf(kind)?.matching(names).length) found.set(key, kind)
  }
  return [...found.values()]
}

/** What a quota has used: `known` where nothing counts a name. */
export function recount(
  { kinds, reader, clock }: RecountDeps,
  quota: ResourceQuota,
  known: ResourceList,
): ResourceList {
  const names = Object.keys(quota.spec?.hard ?? {})
  const scopes = scopesOf(quota)
  let used = { ...known }
  for (const kind of countedKinds(kinds(), names)) {
    const evaluator = evaluatorOf(kind)!
    let total: ResourceList = Object.fromEntries(evaluator.matching(names).map(name => [name, '0']))
    for (const { value } of reader(kind).list(quota.metadata?.namespace))
      if (scopes.every(scope => evaluator.inScope(value, scope)))
        total = add(total, mask(evaluator.usage(value, clock.now()), Object.keys(total)))
    used = { ...used, ...total }
  }
  return mask(used, names)
}
