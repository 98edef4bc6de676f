import type { Node } from '../../api/kinds/core/node.ts'
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

function refusal(handler: string): string {
  if (handler !== CONTAINERS) return `node(s) have no runtime handler ${JSON.stringify(handler)}`
  return (
    'node(s) have no container runtime (set spec.runtimeClassName: process to run "command" as a plain process, ' +
    'or install containerd)'
  )
}

/** A pod goes where the handler of its RuntimeClass is (node.status.runtimeHandlers). */
export const runtimeHandlers: Plugin = {
  name: 'RuntimeHandlers',
  weight: 0,
  prepare(pod, view) {
    const handler = wantedHandler(pod, view)
    if (handler === undefined) {
      return { refusal: `RuntimeClass ${JSON.stringify(pod.pod.spec?.runtimeClassName)} not found` }
    }
    return {
      filter(slot) {
        const has = handlersOf(view.snapshot.node(slot)!)
        return !has || has.includes(handler) ? undefined : refusal(handler)
      },
      hopeless: () => true,
    }
  },
  wokenBy: ['node', 'runtime-class'],
  mayHelp(event, pod, view) {
    if (event.type === 'runtime-class') return true
    const handler = wantedHandler(pod, view)
    return event.type === 'node' && handler !== undefined && (handlersOf(event.current)?.includes(handler) ?? true)
  },
}
