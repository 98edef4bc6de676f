/**
 * Streams of a child that it may open anew by their names: /dev/stdin, /dev/stderr, /proc/self/fd/1. What Node makes for
 * a child are sockets, which the kernel opens for nobody (ENXIO).
 */
import { randomBytes } from 'node:crypto'
import { closeSync, constants, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { runTool } from '../../../lib/run-tool.ts'

const { O_NONBLOCK, O_RDONLY, O_RDWR } = constants

export interface Pipe {
  /** The child's end, for `spawn`; to be closed after it: the stream ends when nobody has this end any more. */
  readonly child: number
  /** What the child writes. */
  readonly ours: Socket
}

/** Opens both ends. Neither waits for the other: `both` is there meanwhile. */
function open(path: string): Pipe {
  const both = openSync(path, O_RDWR | O_NONBLOCK)
  try {
    const child = openSync(path, 'w')
    try {
      return { child, ours: new Socket({ fd: openSync(path, O_RDONLY | O_NONBLOCK), readable: true, writable: false }) }
    } catch (error) {
      closeSync(child)
      throw error
    }
  } finally {
    closeSync(both)
  }
}

/**
 * Makes `count` pipes for what a child writes. They lie in `folder`, which only this program may enter, until they are
 * open: whatever user the child is may open them anew. Rejects where there can be none, as on a disk that is full.
 */
export async function makePipes(folder: string, count: number): Promise<Pipe[]> {
  const name = join(folder, randomBytes(8).toString('hex'))
  const paths = Array.from({ length: count }, (_, at) => `${name}.${at}`)
  const pipes: Pipe[] = []
  try {
    await runTool('/usr/bin/mkfifo', ['-m', '666', ...paths])
    for (const path of paths) pipes.push(open(path))
    return pipes
  } catch (error) {
    for (const { child, ours } of pipes) {
      closeSync(child)
      ours.destroy()
    }
    throw error
  } finally {
    for (const path of paths) rmSync(path, { force: true })
  }
}

/**
 * The command with its input through a pipe without a name: one with a name that has been written to its end already
 * cannot be opened anew, as that waits for another writer. Needs a shell, cat and chmod.
 */
export const throughPipe = (command: readonly string[]): string[] => ['/bin/sh', '-c', THROUGH, 'sh', ...command]
const THROUGH = '{ /bin/cat <&3 3<&- & } 3<&0 | { /bin/chmod 666 /proc/self/fd/0 2>/dev/null; exec "$@"; }'
