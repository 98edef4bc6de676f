/** Where a container runs: what log, exec, attach and port-forward ask first. */
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest, internalError } from '../../api/machinery/status-error.ts'
import type { NodeApi, NodeDirectory, PodRef } from '../../client/node-api.ts'

export interface LocatedPod extends KubeObject {
  spec: {
    nodeName?: string
    containers?: { name: string }[]
    initContainers?: { name: string }[]
    ephemeralContainers?: { name: string }[]
  }
}

export const podRef = ({ metadata }: KubeObject): PodRef => ({
  namespace: metadata?.namespace ?? '',
  name: metadata?.name ?? '',
  uid: metadata?.uid ?? '',
})

/**
 * The container that is meant: the one named, or the only one. Throws BadRequest with the names to choose from;
 * `unknown` makes the sentence for a name that the pod does not have.
 */
export function containerOf(pod: LocatedPod, name: string, unknown: (name: string, pod: string) => string): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec
  const podName = pod.metadata?.name ?? ''
  if (name) {
    const known = [...containers, ...initContainers, ...ephemeralContainers].some(each => each.name === name)
    if (!known) throw badRequest(unknown(name, podName))
    return name
  }
  if (containers.length === 1) return containers[0]!.name
  const list = (all: readonly { name: string }[]) => `[${all.map(each => each.name).join(' ')}]`
  const choices = [`choose one of: ${list(containers)}`]
  if (initContainers.length) choices.push(`one of the init containers: ${list(initContainers)}`)
  if (ephemeralContainers.length) choices.push(`one of the ephemeral containers: ${list(ephemeralContainers)}`)
  throw badRequest(`a container name must be specified for pod ${podName}, ${choices.join(' or ')}`)
}

/** The node that runs a pod. Throws BadRequest when it has none yet, InternalError when it cannot be reached. */
export function nodeOf(pod: LocatedPod, nodes: NodeDirectory): NodeApi {
  const { nodeName } = pod.spec
  if (!nodeName) throw badRequest(`pod ${pod.metadata?.name ?? ''} does not have a host assigned`)
  const node = nodes(nodeName)
  if (!node) throw internalError(`node ${JSON.stringify(nodeName)} of the pod cannot be reached`)
  return node
}
