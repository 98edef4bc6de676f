/** Annotations by which Deployments and ReplicaSets keep revisions and sizes, for `kubectl rollout`. */
import type { Deployment } from '../../api/kinds/apps/deployment.ts'
import type { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { DESIRED, MAX, sizeAnnotations } from './sizes.ts'

export const REVISION = 'deployment.kubernetes.io/revision'
const HISTORY = 'deployment.kubernetes.io/revision-history'
const HISTORY_CHARS = 2000

/** Annotations of a Deployment that its sets do not get. */
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  HISTORY,
  DESIRED,
  MAX,
  'deprecated.deployment.rollback.to',
])

/** The revision of a set; 0 where it has none. */
export const revisionOf = (set: ReplicaSet) => Number(set.metadata?.annotations?.[REVISION] ?? 0) || 0

/** Annotations of the set of the current template. An old set that comes back gets a new revision and a history. */
export function newSetAnnotations(
  deployment: Deployment,
  set: ReplicaSet | undefined,
  revision: number,
): Record<string, string> {
  const result: Record<string, string> = { ...set?.metadata?.annotations }
  for (const [name, value] of Object.entries(deployment.metadata?.annotations ?? {})) {
    if (!NOT_COPIED.has(name)) result[name] = value
  }
  const before = result[REVISION]
  if ((Number(before ?? 0) || 0) < revision) {
    result[REVISION] = String(revision)
    if (set && before) result[HISTORY] = history(result[HISTORY], before)
  }
  return set ? result : { ...result, ...sizeAnnotations(deployment) }
}

/** The list with one more revision; the oldest go when it grows too long. */
function history(list: string | undefined, revision: string): string {
  if (!list) return revision
  const entries = [...list.split(','), revision]
  while (entries.length > 1 && entries.join(',').length > HISTORY_CHARS) entries.shift()
  return entries.join(',')
}
