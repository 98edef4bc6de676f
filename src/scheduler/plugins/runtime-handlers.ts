import type { Node } from '../../api/kinds/core/node.ts'
import { whenChanged } from '../affected.ts'
import type { Plugin, View } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'

/** The handler of pods that name no RuntimeClass; a node may advertise it without a name too. */
const CONTAINERS = 'containers'

/** What a node can run; undefined where it does not say. */
function handlersOf(node: Node): readonly string[] | undefined {
  const { runtimeHandlers } = node.status ?? {}
  return runtimeHandlers?.length ? runtimeHandlers.map(({ name }) => name || CONTAINERS) : undefined
}

function wantedHandler({ pod }: PodInfo, view: View): string | undefined {
  const name = pod.spec?.runtimeClassName
  return name ? view.runtimeHandler(name) : CONTAINERS
}

/** Whether a node names the handler: only then it is looked for. */
function isOffered(handler: string, { snapshot }: View): boolean {
  if (handler === CONTAINERS) return true
  for (let slot = 0; slot < snapshot.slots; slot++) {
    const node = snapshot.node(slot)
    if (node && handlersOf(node)?.includes(handler)) return true
  }
  return false
}

function refusal(handler: string): string {
  if (handler !== CONTAINERS) return `node(s) have no runtime handler ${JSON.stringify(handler)}`
  return (
    'node(s) have no container runtime (set spec.runtimeClassName: process to run "command" as a plain process, ' +
    'or install containerd)'
  )
}

/**
 * A pod goes where the handler of its RuntimeClass is (node.status.runtimeHandlers). A handler that no node names is
 * taken as Kubernetes takes all: the pod is bound, and its node says that it has no such runtime.
 */
export const runtimeHandlers: Plugin = {
  name: 'RuntimeHandlers',
  weight: 0,
  prepare(pod, view) {
    const handler = wantedHandler(pod, view)
    if (handler === undefined) {
      return { refusal: `RuntimeClass ${JSON.stringify(pod.pod.spec?.runtimeClassName)} not found` }
    }
    let offered = true
    const affected = whenChanged(() => {
      offered = isOffered(handler, view)
      return offered
    })
    return {
      filter(slot) {
        const has = handlersOf(view.snapshot.node(slot)!)
        return !has || has.includes(handler) || !offered ? undefined : refusal(handler)
      },
      hopeless: () => true,
      affected,
    }
  },
  wokenBy: ['node', 'node-gone', 'runtime-class'],
  mayHelp(event, pod, view) {
    if (event.type === 'runtime-class') return true
    const handler = wantedHandler(pod, view)
    if (handler === undefined) return false
    const has = event.type === 'node' && (handlersOf(event.current)?.includes(handler) ?? true)
    // Or the last that named it is gone, or names it no more.
    return has || !isOffered(handler, view)
  },
}
