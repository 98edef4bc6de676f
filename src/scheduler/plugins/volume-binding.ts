import type { Node } from '../../api/kinds/core/node.ts'
import { matchesTerm } from '../../api/machinery/node-match.ts'
import { objectKey } from '../../client/informer-types.ts'
import type { Plugin, View } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'

/** Names of the claims that a pod needs; those of generic ephemeral volumes are named for the pod. */
export const claimsOf = ({ metadata, spec }: PodInfo['pod']): string[] =>
  (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) =>
    ephemeral ? [`${metadata?.name}-${name}`] : persistentVolumeClaim ? [persistentVolumeClaim.claimName] : [],
  )

/** Why a claim keeps its pod from a node; undefined where it does not. */
function refusalOf(namespace: string, name: string, node: Node, { storage }: View): string | undefined {
  const claim = storage.claim(objectKey(namespace, name))
  if (!claim) return `persistentvolumeclaim ${JSON.stringify(name)} not found`
  if (claim.metadata?.deletionTimestamp) return `persistentvolumeclaim ${JSON.stringify(name)} is being deleted`
  const { volumeName } = claim.spec ?? {}
  if (!volumeName || claim.status?.phase !== 'Bound') {
    // One that waits for its first consumer is bound where that goes.
    const isDelayed = storage.bindingMode(claim) === 'WaitForFirstConsumer'
    return isDelayed && !volumeName ? undefined : 'pod has unbound immediate PersistentVolumeClaims'
  }
  const volume = storage.volume(volumeName)
  if (!volume) return 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms
  return !terms || terms.some(term => matchesTerm(term, node))
    ? undefined
    : "node(s) didn't match PersistentVolume's node affinity"
}

/** A pod waits until its claims are bound, and goes where their volumes can be reached. */
export const volumeBinding: Plugin = {
  name: 'VolumeBinding',
  weight: 0,
  prepare(pod, view) {
    const claims = claimsOf(pod.pod)
    if (claims.length === 0) return undefined
    let version = view.storage.version()
    return {
      filter(slot) {
        for (const name of claims) {
          const refusal = refusalOf(pod.namespace, name, view.snapshot.node(slot)!, view)
          if (refusal) return refusal
        }
        return undefined
      },
      hopeless: () => true,
      affected() {
        const isSame = version === view.storage.version()
        version = view.storage.version()
        return isSame ? NONE : 'all'
      },
    }
  },
  wokenBy: ['node', 'storage'],
  mayHelp: () => true,
}

const NONE: ReadonlySet<number> = new Set()
