/** A pod as its status shows it, put together from its containers: pure. */
import type { Pod, PodStatus } from '../../api/generated/types/core-v1.ts'
import { isSidecar } from '../../api/kinds/core/pod-containers.ts'
import type { ContainerView } from './container-status.ts'
import { allContainers } from './object.ts'
import type { PodResize } from './resize.ts'
import { isReady, isRunning, isStarted, type Slot } from './slot.ts'
import type { PodView } from './status.ts'

export interface ViewContext {
  readonly resize: Pick<PodResize, 'allocated' | 'conditions' | 'needOf'>
  /** Why the pod has no ground to stand on, where it waits for that. */
  readonly groundProblem: string | undefined
  /** It is about to be stopped: it serves nobody any more, though it still could. */
  readonly leaving: boolean
}

function viewOf(slot: Slot, given: ContainerView['given'], inForce: boolean): ContainerView {
  const { spec, sort, instances, waiting, lost } = slot
  const ends = slot.init && !isSidecar(spec)
  const started = ends ? isRunning(slot) : isStarted(slot)
  return { spec, sort, instances, waiting, lost, started, ready: isReady(slot), given, inForce }
}

/** The containers' part of the view. */
export function containerViews(
  slots: readonly Slot[],
  { resize, groundProblem, leaving }: ViewContext,
): Pick<PodView, 'init' | 'main' | 'ephemeral' | 'resize' | 'allocated'> {
  const allocated = resize.allocated()
  const given = new Map(allContainers(allocated).map(each => [each.name, each.resources]))
  const reason = allocated.spec?.initContainers?.length ? 'PodInitializing' : 'ContainerCreating'
  const show = (slot: Slot) => {
    const own = viewOf(slot, given.get(slot.spec.name), resize.needOf(slot) === 'none')
    const view = leaving && isRunning(slot) ? { ...own, ready: false } : own
    // The cause stands in the first container's state as well as in the event, which passes.
    if (groundProblem === undefined || view.waiting || view.instances.length > 0) return view
    return { ...view, waiting: { reason, message: groundProblem } }
  }
  const of = (sort: Slot['sort']) => slots.filter(slot => slot.sort === sort).map(show)
  return { init: of('init'), main: of('main'), ephemeral: of('ephemeral'), resize: resize.conditions(), allocated }
}

/** What was told last, with the conditions that others have written since. */
export function lastTold(pod: Pod, current: PodStatus | undefined): PodStatus | undefined {
  if (!current) return pod.status
  const told = new Set(current.conditions?.map(each => each.type))
  const foreign = (pod.status?.conditions ?? []).filter(each => !told.has(each.type))
  return { ...pod.status, ...current, conditions: [...(current.conditions ?? []), ...foreign] }
}
