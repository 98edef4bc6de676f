/** iproute2: as a session, and by itself. */
import { run } from './command.ts'
import { type Session, startSession } from './session.ts'

/** Commands after which another process takes over: `ip` remembers every link that it saw, and frees none. */
const RENEW_AFTER = 300

/**
 * A standing `ip -force -batch -`: each line is a command of `ip` without its name. With -force a line that fails does
 * not end the program; the lines after it in the same `run` are carried out all the same.
 */
export function startIp(): Session {
  return startSession({
    command: 'ip',
    args: ['-force', '-batch', '-'],
    mark: 'link show lo',
    marked: /^\d+: lo: .*\n +link\/loopback .*\n/m,
    renewAfter: RENEW_AFTER,
    failed: /^(Error:|RTNETLINK|Cannot|Command failed|Object |Unknown|Device|.*Usage:)/m,
  })
}

/** Has lines of `ip` carried out by a process of its own: one that stands takes a link for the one that had its name before. */
export const runIp = (lines: string): Promise<string> => run('ip', ['-batch', '-'], `${lines}\n`)
