/** What the node answers to the API server: logs, exec, attach and port-forward of its pods. */
import type { ContainerState } from '../api/generated/types/core-v1.ts'
import { badRequest, internalError, notFound, StatusError } from '../api/machinery/status-error.ts'
import type { NodeApi, PodRef } from '../client/node-api.ts'
import { statusesOf } from './pod/object.ts'
import type { PodWorker } from './pod/worker.ts'
import { pods } from './resources.ts'
import { type ContainerStatus, type RuntimeDriver, RuntimeError } from './runtimes/runtime.ts'

/** `find` gives the worker of a pod by its uid. */
export function createNodeApi(find: (uid: string) => PodWorker | undefined): NodeApi {
  const worker = (ref: PodRef): PodWorker => {
    const found = find(ref.uid)
    if (!found) throw notFound(pods, ref.name)
    return found
  }
  const place = (found: PodWorker, ref: PodRef) => {
    const at = found.place()
    if (!at) throw badRequest(`pod ${JSON.stringify(ref.name)} has not been started on its node yet`)
    return at
  }
  /** The instance whose log is asked for. */
  const logged = (ref: PodRef, container: string, previous: boolean): [RuntimeDriver, ContainerStatus] => {
    const found = worker(ref)
    const title = `container ${JSON.stringify(container)} in pod ${JSON.stringify(ref.name)}`
    const instances = found.instances(container)
    if (!instances) throw badRequest(`${title} is not available`)
    const begun = instances.filter(each => each.state !== 'created')
    // While it waits for its next start, the instance that ended last is the previous one, and all there is.
    const [latest, before] = begun
    const chosen = previous ? (latest?.state === 'exited' && isWaiting(found, container) ? latest : before) : latest
    if (chosen) return [place(found, ref).driver, chosen]
    if (previous) throw badRequest(`previous terminated ${title} not found`)
    const ended = stateOf(found, container)?.terminated?.containerID
    // A pod that was evicted keeps nothing.
    if (ended) throw badRequest(`unable to retrieve container logs for ${ended}`)
    const reason = isWaiting(found, container) ?? 'ContainerCreating'
    throw badRequest(`${title} is waiting to start: ${NO_IMAGE[reason] ?? reason}`)
  }
  const running = (ref: PodRef, container: string): [RuntimeDriver, string] => {
    const found = worker(ref)
    const instances = found.instances(container)
    if (!instances) throw badRequest(`container ${container} is not valid for pod ${ref.name}`)
    const [latest] = instances
    if (latest?.state !== 'running') {
      throw internalError(new Error(`container not found (${JSON.stringify(container)})`))
    }
    return [place(found, ref).driver, latest.id]
  }
  return {
    logs: (ref, options, signal) =>
      told(async () => {
        const [driver, { id }] = logged(ref, options.container, options.previous ?? false)
        return driver.logs(id, options, signal)
      }),
    exec: (ref, options, streams) =>
      told(async () => {
        const [driver, id] = running(ref, options.container)
        return driver.exec(id, options.command, options.tty, streams)
      }),
    attach: (ref, options, streams) =>
      told(async () => {
        const [driver, id] = running(ref, options.container)
        await driver.attach(id, options, streams)
      }),
    connect: (ref, port, via) =>
      told(async () => {
        const found = worker(ref)
        const { driver, sandbox } = place(found, ref)
        if (!sandbox) throw badRequest(`pod ${JSON.stringify(ref.name)} is not running`)
        return driver.connect(sandbox, found.port(port), via)
      }),
  }
}

/** The kubelet's words for why a container without an image has no log. */
const NO_IMAGE: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: 'trying and failing to pull image',
}

/** The state of a container, by the pod's status. */
const stateOf = (found: PodWorker, container: string): ContainerState | undefined =>
  statusesOf(found.pod()).find(each => each.name === container)?.state

/** The reason for which it waits. */
const isWaiting = (found: PodWorker, container: string): string | undefined =>
  stateOf(found, container)?.waiting?.reason

/** Failures of a runtime as what clients are told. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StatusError) throw error
    if (error instanceof RuntimeError && error.reason === 'ContainerNotRunning') throw badRequest(error.message)
    throw internalError(error)
  }
}
