/** Asks the system about a connection that nobody has spoken on for a while. */
import { readSync } from 'node:fs'
import type { Socket } from 'node:net'

const ONE = Buffer.alloc(1)

/**
 * Whether a kept connection stands as far as the system knows at this moment: its end may have come, and wait to be read
 * in a later turn of the event loop. Reads past the stream, so one on which anything has come is of no more use. Where
 * the system cannot be asked the answer is no.
 */
export function isQuiet(socket: Socket): boolean {
  const { fd = -1 } = (socket as { _handle?: { fd?: number } })._handle ?? {}
  if (fd < 0) return false
  try {
    readSync(fd, ONE, 0, 1, null)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EAGAIN'
  }
}
