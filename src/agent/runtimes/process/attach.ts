/** Joins the streams of a container's main process: its log from now on, and its standard input by a named pipe. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { AttachOptions, CommandStreams } from '../../../client/node-api.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { ContainerConfig } from '../runtime.ts'
import { followSize } from './exec.ts'
import type { ContainerLog } from './log.ts'
import { readLog } from './log-read.ts'
import type { Platform } from './platform.ts'
import { signal } from './proc.ts'
import { readRef } from './state.ts'

interface Target {
  readonly folder: string
  readonly config: Omit<ContainerConfig, 'env'>
  readonly pid: number
  readonly log: ContainerLog
  /** Offset in the log from which output is shown. */
  readonly from: number
}

interface Life {
  running(): boolean
  onEnd(fn: () => void): () => void
}

/** Copies until the process ends or the client goes away. */
export async function attachTo(
  deps: { platform: Platform; clock: Clock },
  target: Target,
  life: Life,
  options: AttachOptions,
  streams: CommandStreams,
): Promise<void> {
  if (streams.stdin && target.config.stdin) void type(target, life, streams.stdin).catch(() => {})
  if (options.tty && streams.resize) {
    void followSize(deps, target.pid, streams.resize, life.running).catch(() => {})
  }
  const deliver = streams.stdout ?? streams.stderr
  const output = readLog(
    target.log,
    { container: target.config.name, follow: true },
    {
      now: deps.clock.now(),
      ...life,
      signal: streams.signal,
      from: target.from,
    },
  )
  for await (const chunk of output) await deliver?.(chunk)
}

/** Writes what the client types; with stdinOnce the process then sees the end of its input. */
async function type(target: Target, life: Life, input: AsyncIterable<Uint8Array>) {
  // Read and write, so that opening never waits for the other side.
  const pipe = await open(join(target.folder, 'stdin'), constants.O_RDWR | constants.O_NONBLOCK)
  try {
    for await (const chunk of input) {
      for (let at = 0; at < chunk.length && life.running(); ) at += await put(pipe, chunk.subarray(at))
    }
  } finally {
    await pipe.close()
  }
  if (!target.config.stdinOnce) return
  const holder = readRef(join(target.folder, 'holder'))
  if (holder) signal(holder, 'SIGKILL')
}

/** Bytes taken; 0 after a moment when the pipe is full because the process does not read. */
async function put(pipe: Awaited<ReturnType<typeof open>>, chunk: Uint8Array): Promise<number> {
  try {
    return (await pipe.write(chunk)).bytesWritten
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    await new Promise(resolve => setTimeout(resolve, 20))
    return 0
  }
}
