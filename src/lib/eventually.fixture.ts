/**
 * How long tests wait for what must come, in ms. A machine that is shared may stand still for seconds; what never comes
 * is worth a minute, as it is rare.
 */
export const PATIENCE = 60_000

/**
 * Resolves when `check` returns without throwing and not false; looks again every `everyMs`. Rejects after `PATIENCE` with
 * what it threw last.
 */
export async function eventually(check: () => unknown, everyMs = 10): Promise<void> {
  const end = performance.now() + PATIENCE
  for (;;) {
    let failure: unknown
    try {
      if ((await check()) !== false) return
      failure = new Error(`it did not become true: ${check}`)
    } catch (error) {
      failure = error
    }
    if (performance.now() > end) throw failure
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}
