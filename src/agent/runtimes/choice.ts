/** Which runtime runs a pod: by its RuntimeClass, or by what it is made of where it names none. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { RuntimeClass } from '../../api/generated/types/node-v1.ts'
import type { PodDeps } from '../pod/deps.ts'
import { isOfProcesses } from '../pod/of-processes.ts'
import { type RuntimeDriver, RuntimeError } from './runtime.ts'

export interface RuntimeChoiceDeps {
  readonly nodeName: string
  /** The first that has a handler serves it. */
  readonly runtimes: readonly RuntimeDriver[]
  /** The class of this name, once all are known. */
  findClass(name: string): Promise<RuntimeClass | undefined>
}

/** Makes the function that chooses; it rejects with a `RuntimeError` that says what to do where there is none. */
export function createRuntimeChoice({ nodeName, runtimes, findClass }: RuntimeChoiceDeps): PodDeps['runtimeOf'] {
  const having = (handler: string) => runtimes.find(each => each.capabilities.handlers.includes(handler))

  async function handlerOf(pod: Pod): Promise<string> {
    const name = pod.spec?.runtimeClassName
    if (!name) return isOfProcesses(pod) && having('process') ? 'process' : ''
    const found = await findClass(name)
    if (found) return found.handler
    throw new RuntimeError(
      'RuntimeClassNotFound',
      `failed to get sandbox runtime: RuntimeClass ${JSON.stringify(name)} not found`,
    )
  }
  return async pod => {
    const handler = await handlerOf(pod)
    const driver = having(handler) ?? runtimes.find(each => each.capabilities.anyHandler)
    if (driver) return { driver, handler }
    const known = [...new Set(runtimes.flatMap(each => each.capabilities.handlers))].map(each => each || '(default)')
    throw new RuntimeError(
      'RuntimeNotConfigured',
      `failed to get sandbox runtime: no runtime for ${JSON.stringify(handler || 'the default handler')} is configured: node ` +
        `${nodeName} has ${known.join(', ') || 'none'}. Bind the pod to a node that has it (node.status.runtimeHandlers), ` +
        'or choose a RuntimeClass whose handler this node has',
    )
  }
}
