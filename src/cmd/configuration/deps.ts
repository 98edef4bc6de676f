import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'

/** What the parts that a configuration opens need. */
export interface SettingsDeps {
  readonly clock: Clock
  readonly logger: Logger
  uuid(): string
}
