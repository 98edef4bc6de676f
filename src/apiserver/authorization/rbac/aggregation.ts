/**
 * ClusterRoles with an aggregation rule hold the rules of all roles that it selects. The server keeps them so itself,
 * with every change, where Kubernetes has a controller.
 */

import type { Kind } from '../../../api/machinery/kind.ts'
import { selectorFromLabelSelector } from '../../../api/machinery/label-selector.ts'
import type { Logger } from '../../../lib/log.ts'
import type { Registry } from '../../registry/registry.ts'
import { MASTERS } from '../authorizers.ts'
import type { PolicyRule, Role } from './rules.ts'

const USER = {
  name: 'system:serviceaccount:kube-system:clusterrole-aggregation-controller',
  groups: [MASTERS],
}

/** The rules that an aggregating role should have, given all roles, in order of their names; without repeats. */
export function aggregatedRules(role: Role, roles: readonly Role[]): PolicyRule[] {
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map(selectorFromLabelSelector)
  const seen = new Map<string, PolicyRule>()
  const byName = [...roles].sort((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1))
  for (const each of byName) {
    if (each.metadata?.name === role.metadata?.name) continue
    if (!selectors.some(selector => selector.matches(each.metadata?.labels))) continue
    for (const rule of each.rules ?? []) seen.set(JSON.stringify(rule), rule)
  }
  return [...seen.values()]
}

const isAggregating = (role: Role) => Boolean(role.aggregationRule?.clusterRoleSelectors?.length)
const same = (a: unknown, b: unknown) => JSON.stringify(a ?? []) === JSON.stringify(b ?? [])

/** Keeps aggregating roles current from now on. Returns a function that ends it. */
export function keepAggregated(registry: Registry, kind: Kind, logger: Logger): () => void {
  const reader = registry.reader(kind)
  let pending = false
  let ended = false

  const settle = async () => {
    pending = false
    const roles = reader.list().map(each => each.value as Role)
    for (const role of roles.filter(isAggregating)) {
      const name = role.metadata?.name ?? ''
      if (ended || same(role.rules, aggregatedRules(role, roles))) continue
      try {
        // One role may select another that aggregates itself: its change comes back here.
        await registry.update(
          kind,
          { namespace: '', name },
          object => {
            const current = reader.list().map(each => each.value as Role)
            ;(object as Role).rules = aggregatedRules(object as Role, current)
          },
          { user: USER, fieldManager: 'clusterrole-aggregation-controller' },
        )
      } catch (error) {
        logger.warn({ err: error, role: name }, 'gathering the rules of a ClusterRole failed')
      }
    }
  }
  const end = reader.onChange(() => {
    if (pending || ended) return
    pending = true
    queueMicrotask(() => void settle())
  })
  return () => {
    ended = true
    end()
  }
}
