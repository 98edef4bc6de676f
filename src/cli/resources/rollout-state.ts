/** How far a deployment's rollout is, in the words of `kubectl rollout status`. */
import type { Deployment } from '../../api/kinds/apps/deployment.ts'

export interface RolloutState {
  readonly done: boolean
  readonly failed: boolean
  readonly message: string
}

/** Reads the state from spec and status alone. */
export function rolloutState(deployment: Deployment): RolloutState {
  const name = deployment.metadata?.name ?? ''
  const { spec, status } = deployment
  const going = (what: string): RolloutState => ({
    done: false,
    failed: false,
    message: `Waiting for deployment "${name}" rollout to finish: ${what}`,
  })
  if ((deployment.metadata?.generation ?? 0) > (status?.observedGeneration ?? 0))
    return { done: false, failed: false, message: `Waiting for deployment "${name}" spec update to be observed` }
  const progressing = status?.conditions?.find(condition => condition.type === 'Progressing')
  if (progressing?.reason === 'ProgressDeadlineExceeded')
    return { done: false, failed: true, message: `deployment "${name}" exceeded its progress deadline` }
  const wanted = spec?.replicas ?? 1
  const updated = status?.updatedReplicas ?? 0
  const all = status?.replicas ?? 0
  const available = status?.availableReplicas ?? 0
  if (updated < wanted) return going(`${updated} out of ${wanted} new replicas have been updated...`)
  if (all > updated) return going(`${all - updated} old replicas are pending termination...`)
  if (available < updated) return going(`${available} of ${updated} updated replicas are available...`)
  return { done: true, failed: false, message: `deployment "${name}" successfully rolled out` }
}
