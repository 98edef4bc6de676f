/** The program's log: pino's JSON lines, to a file or to the terminal. */
import { pino } from 'pino'
import type { Logger } from '../lib/log.ts'

/** Makes a logger; `TUTTI_LOG` names the level (default info). Writes are synchronous: lines survive a crash. */
export function createLogger(destination: number | string, level = process.env.TUTTI_LOG ?? 'info'): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: destination, sync: true, append: true, mkdir: true }),
  ) as unknown as Logger
}
