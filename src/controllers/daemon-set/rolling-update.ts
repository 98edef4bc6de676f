/** The rolling update of a DaemonSet: old pods make room within maxUnavailable, or are joined within maxSurge. */
import type { Pod } from '../../api/kinds/core/pod.ts'
import { isTerminating } from '../pods.ts'
import { type Changes, isAvailable, noChanges, type Scene, surgeOf, unavailableOf } from './daemons.ts'
import { isUpdated } from './placement.ts'

/** Old and new pod of a node; undefined where there are several of one sort: `manage` clears that up first. */
interface Pair {
  readonly node: string
  readonly fresh: Pod | undefined
  readonly old: Pod | undefined
}

function pairsOf(scene: Scene): { readonly pairs: readonly Pair[]; readonly crowded: number; readonly wanted: number } {
  const wanted = scene.nodes.filter(node => scene.wish(node).start).map(node => node.metadata?.name ?? '')
  const names = new Set([...wanted, ...scene.pods.keys()])
  const pairs: Pair[] = []
  let crowded = 0
  for (const node of names) {
    const pods = (scene.pods.get(node) ?? []).filter(pod => !isTerminating(pod))
    const fresh = pods.filter(pod => isUpdated(scene.set, pod, scene.hash))
    const old = pods.filter(pod => !fresh.includes(pod))
    if (fresh.length > 1 || old.length > 1) crowded++
    else pairs.push({ node, fresh: fresh[0], old: old[0] })
  }
  return { pairs, crowded, wanted: wanted.length }
}

/** The next step of the update. */
export function roll(scene: Scene): Changes {
  const { pairs, crowded, wanted } = pairsOf(scene)
  const surge = surgeOf(scene.set, wanted)
  if (surge > 0) return rollBySurge(scene, pairs, surge - crowded, wanted)
  return rollByRemoval(scene, pairs, Math.max(unavailableOf(scene.set, wanted), 1) - crowded)
}

/** Old pods that are down anyway go at once, and as many that are up as may be missed. */
function rollByRemoval(scene: Scene, pairs: readonly Pair[], allowed: number): Changes {
  const changes = noChanges()
  const candidates: Pod[] = []
  let left = allowed
  for (const { fresh, old } of pairs) {
    if (!old || fresh) {
      if (!fresh || old || !isAvailable(scene, fresh)) left--
    } else if (isAvailable(scene, old)) candidates.push(old)
    else {
      changes.remove.push(old)
      left--
    }
  }
  changes.remove.push(...candidates.slice(0, Math.max(left, 0)))
  return changes
}

/** New pods join old ones; an old one goes when the new one is available. */
function rollBySurge(scene: Scene, pairs: readonly Pair[], allowed: number, wanted: number): Changes {
  const changes = noChanges()
  const candidates: string[] = []
  const misplaced: Pod[] = []
  let left = allowed
  let available = 0
  const starts = new Set(scene.nodes.filter(node => scene.wish(node).start).map(node => node.metadata?.name))
  for (const { node, fresh, old } of pairs) {
    const standing = old ?? fresh
    if (standing && isAvailable(scene, standing)) available++
    if (!old) continue
    if (fresh) {
      if (isAvailable(scene, fresh)) changes.remove.push(old)
      else left--
    } else if (!starts.has(node)) {
      if (isAvailable(scene, old)) misplaced.push(old)
      else changes.remove.push(old)
    } else if (isAvailable(scene, old)) candidates.push(node)
    else changes.start.push(node)
  }
  changes.remove.push(...misplaced.slice(0, Math.max(available - wanted, 0)))
  changes.start.push(...candidates.slice(0, Math.max(left, 0)))
  return changes
}
