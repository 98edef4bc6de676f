/**
 * The shape of a logger as the program needs it. `src/cmd` hands out pino's; tests hand out `silent`.
 * Fields come first, then a sentence, as pino has it. Secrets never go in.
 */
export interface Logger {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
  /** A logger that adds `fields` to every line. */
  child(fields: Record<string, unknown>): Logger
}

/** Says nothing. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
