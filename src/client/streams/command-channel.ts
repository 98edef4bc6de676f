/**
 * A remote command (exec, attach) between a client's connection and a node, whatever protocol carries it: which
 * streams there are, how the end is told, and what happens when the client goes away.
 */
import type { CommandStreams, TerminalSize } from '../node-api.ts'
import { createPipe, type Pipe } from './pipe.ts'

/** What the client asked for, from the query of pods/exec or pods/attach. */
export interface CommandOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** The client's end, made by one of the protocols. */
export interface CommandChannel {
  readonly streams: CommandStreams
  /** Tells how it ended (a Status; see `exitStatus`), then ends the connection. */
  finish(status: object): Promise<void>
}

/** Runs a command, which gives its exit code, over a channel and tells its outcome. Never rejects. */
export async function runCommand(
  channel: CommandChannel,
  run: (streams: CommandStreams) => Promise<number>,
  statusOf: (error: unknown) => object,
): Promise<void> {
  let status: object
  try {
    status = exitStatus(await run(channel.streams))
  } catch (error) {
    status = statusOf(error)
  }
  await channel.finish(status).catch(() => {})
}

/** The Status that stands for an exit code: kubectl exits with the same. */
export function exitStatus(exitCode: number): object {
  if (exitCode === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}

/** What a client types may wait this long, in bytes, before its connection is read no further. */
const STDIN_LIMIT = 1024 * 1024

/** The client's inputs as the protocols fill them. */
export interface CommandInputs {
  readonly stdin: Pipe<Buffer> | undefined
  readonly resize: Pipe<TerminalSize> | undefined
}

/** Pipes for what was asked for. */
export const commandInputs = (options: CommandOptions): CommandInputs => ({
  stdin: options.stdin ? createPipe<Buffer>(STDIN_LIMIT) : undefined,
  resize: options.tty ? createPipe<TerminalSize>(64, () => 1) : undefined,
})

/** A terminal's size from the client's JSON `{"Width":80,"Height":24}`; undefined for anything else. */
export function parseSize(data: Buffer): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(data.toString('utf8')) as { Width?: unknown; Height?: unknown }
    if (!Number.isInteger(Width) || !Number.isInteger(Height)) return undefined
    return { columns: Width as number, rows: Height as number }
  } catch {
    return undefined
  }
}

/** The streams that a node sees. `write` sends to a numbered or named output of the client. */
export function commandStreams(
  options: CommandOptions,
  inputs: CommandInputs,
  write: (output: 'stdout' | 'stderr', chunk: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): CommandStreams {
  return {
    signal,
    ...(inputs.stdin && { stdin: inputs.stdin }),
    ...(options.stdout && { stdout: (chunk: Uint8Array) => write('stdout', chunk) }),
    // With a terminal both come through it, as one.
    ...(options.stderr && !options.tty && { stderr: (chunk: Uint8Array) => write('stderr', chunk) }),
    ...(inputs.resize && { resize: inputs.resize }),
  }
}
