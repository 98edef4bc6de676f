import type { RuntimeDriver } from './runtime.ts'

/**
 * Removes every sandbox, also of pods that had too little time to end, and those that are just being made. Rejects with
 * the runtime's first refusal, when all have been tried.
 */
export async function clearRuntime(driver: RuntimeDriver): Promise<void> {
  await driver.settled?.()
  const removed = (await driver.listSandboxes()).map(({ id }) => driver.removeSandbox(id))
  await Promise.allSettled(removed)
  await Promise.all(removed)
}
