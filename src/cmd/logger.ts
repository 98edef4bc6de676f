/** The program's log: pino's JSON lines, to a file or to the terminal. */
import { pino } from 'pino'
import type { Logger } from '../lib/log.ts'

/** Bytes of lines that are kept while they cannot be written; what comes on top is lost. */
const KEPT = 1 << 20

/**
 * Makes a logger; `TUTTI_LOG` names the level (default info). Writes are synchronous: lines survive a crash. A full disk
 * costs lines, never the program: what can be kept is written once there is room.
 */
export function createLogger(destination: number | string, level = process.env.TUTTI_LOG ?? 'info'): Logger {
  const stream = pino.destination({ dest: destination, sync: true, append: true, mkdir: true, maxLength: KEPT })
  // There is no place left where to say that the log cannot be written.
  stream.on('error', () => {})
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream) as unknown as Logger
}
