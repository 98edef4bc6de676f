/** What a container that failed said last, as its message: `terminationMessagePolicy: FallbackToLogsOnError`. */
import type { Container } from '../../api/generated/types/core-v1.ts'
import type { ContainerStatus as Instance, RuntimeDriver } from '../runtimes/runtime.ts'

/** As the API doc of the policy allows. */
const LIMITS = { tailLines: 80, limitBytes: 2048 }
const READ_MS = 1000

/**
 * Makes the reader of one pod. The function that it gives returns the instance, with the end of its log as message
 * where its container's policy wants that; each log is read once.
 */
export function createLastWords() {
  const messages = new Map<string, string>()
  return async (instance: Instance, spec: Container | undefined, driver: RuntimeDriver): Promise<Instance> => {
    const wanted = spec?.terminationMessagePolicy === 'FallbackToLogsOnError'
    if (!wanted || instance.state !== 'exited' || instance.message || !instance.exitCode) return instance
    let message = messages.get(instance.id)
    if (message === undefined) {
      message = await endOfLog(instance, driver)
      messages.set(instance.id, message)
    }
    return { ...instance, message }
  }
}

async function endOfLog({ id, name }: Instance, driver: RuntimeDriver): Promise<string> {
  const chunks: Uint8Array[] = []
  try {
    const options = { container: name, ...LIMITS }
    for await (const chunk of await driver.logs(id, options, AbortSignal.timeout(READ_MS))) chunks.push(chunk)
  } catch {
    // No log, no message.
  }
  return Buffer.concat(chunks).toString()
}
