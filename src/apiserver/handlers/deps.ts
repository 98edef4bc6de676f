import type { Clock } from '../../lib/clock.ts'
import type { ServerRegistry } from '../registry/create-registry.ts'
import type { Pacer } from './pacer.ts'

/** What the handlers of verbs stand on. */
export interface HandlerDeps {
  readonly registry: ServerRegistry
  readonly clock: Clock
  /** When remote watchers are woken. */
  readonly pace: Pacer
  /** Numbers in [0, 1). */
  readonly random: () => number
}
