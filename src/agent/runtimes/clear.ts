import type { RuntimeDriver } from './runtime.ts'

/** Removes every sandbox, also of pods that had too little time to end. Rejects with the runtime's first refusal. */
export async function clearRuntime(driver: RuntimeDriver): Promise<void> {
  for (const { id } of await driver.listSandboxes()) await driver.removeSandbox(id)
}
