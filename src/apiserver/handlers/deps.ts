import type { Clock } from '../../lib/clock.ts'
import type { ServerRegistry } from '../registry/create-registry.ts'

/** What the handlers of verbs stand on. */
export interface HandlerDeps {
  readonly registry: ServerRegistry
  readonly clock: Clock
  /** Numbers in [0, 1). */
  readonly random: () => number
}
