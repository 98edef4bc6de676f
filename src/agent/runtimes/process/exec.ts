/** Commands beside a container's main process, with or without a terminal. */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, readlinkSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import type { CommandStreams, TerminalSize } from '../../../client/node-api.ts'
import { type Clock, sleep } from '../../../lib/clock.ts'
import { quote } from '../../../lib/run-tool.ts'
import { RuntimeError } from '../runtime.ts'
import { makePipes, throughPipe } from './pipes.ts'
import type { Platform } from './platform.ts'
import { descendants } from './proc.ts'

/**
 * What puts a command into control groups before it is run: whatever it starts is in them from the first moment on.
 * `files` are their cgroup.procs; one that will not take it is left.
 */
export const joining = (files: readonly string[]): string[] =>
  files.length === 0 ? [] : ['/bin/sh', '-c', JOIN, 'sh', ...files, '--']
const JOIN = 'while [ "$1" != -- ]; do echo 0 >"$1"; shift; done 2>/dev/null; shift; exec "$@"'

/**
 * The command under a pseudo terminal: util-linux `script`, which makes one, copies both ways and passes the exit code
 * on. No native addon is needed. `script` is how it is run; throws where the machine has none.
 */
export function withTerminal(script: string | readonly string[] | undefined, command: readonly string[]): string[] {
  if (!script) {
    throw new RuntimeError(
      'CreateContainerError',
      'a terminal needs the program `script` of util-linux on this machine',
    )
  }
  return [...[script].flat(), '-qfec', `exec ${quote(command)}`, '/dev/null']
}

/** The pseudo terminal below a process that runs `script`, by a way that leads to it from outside its mounts too. */
function terminalOf(pid: number): string | undefined {
  for (const child of descendants(pid)) {
    try {
      const file = `/proc/${child}/fd/0`
      if (/^\/dev\/pts\/\d+$/.test(readlinkSync(file))) return file
    } catch {
      // It ended meanwhile.
    }
  }
  return undefined
}

/** Between two looks for a terminal that is still being made, ms. */
const TERMINAL_MS = 10
/** A terminal is made within this time, ms; a command that has left its own has none to be found. */
const MADE_MS = 5000

/** The client's window. */
interface Window {
  /** Resolves when the terminal has the size that came last: what is typed after it is not read before. */
  settled: Promise<void>
}

/** Follows the client's window until the stream or the process ends. */
export async function followSize(
  { platform, clock }: { readonly platform: Platform; readonly clock: Clock },
  pid: number,
  sizes: AsyncIterable<TerminalSize>,
  running: () => boolean,
  window: Window = { settled: Promise.resolve() },
): Promise<void> {
  const { stty } = platform.tools
  if (!stty) return
  const until = clock.elapsed() + MADE_MS
  async function apply({ rows, columns }: TerminalSize) {
    let terminal = terminalOf(pid)
    while (!terminal && running() && clock.elapsed() < until) {
      await sleep(clock, TERMINAL_MS)
      terminal = terminalOf(pid)
    }
    if (!terminal || !running()) return
    const child = spawn(stty!, ['-F', terminal, 'rows', String(rows), 'cols', String(columns)], { stdio: 'ignore' })
    await new Promise<void>(resolve => child.once('error', () => resolve()).once('exit', () => resolve()))
  }
  for await (const size of sizes) {
    window.settled = apply(size)
    await window.settled
  }
}

/** Hands a stream over, chunk by chunk; goes on reading when the taker has failed, so that the command can end. */
async function drain(
  source: Readable,
  take: ((chunk: Uint8Array) => Promise<void>) | undefined,
  flow: { chunks: number },
) {
  let taker = take
  try {
    for await (const chunk of source) {
      flow.chunks++
      await taker?.(chunk as Uint8Array).catch(() => {
        taker = undefined
      })
      flow.chunks++
    }
  } catch {
    // The pipe was destroyed: the command was killed.
  }
}

async function feed(
  stdin: Writable | null,
  source: AsyncIterable<Uint8Array> | undefined,
  tty: boolean,
  window: Window,
) {
  if (!stdin) return
  stdin.on('error', () => {})
  try {
    if (source) {
      for await (const chunk of source) {
        await window.settled
        if (stdin.destroyed) return
        if (!stdin.write(chunk)) {
          await new Promise<void>(resolve => {
            const done = () => {
              stdin.off('drain', done)
              stdin.off('close', done)
              resolve()
            }
            stdin.on('drain', done)
            stdin.on('close', done)
          })
        }
      }
    }
  } catch {
    // The client's side broke: the command sees the end of its input.
  }
  // A terminal has no end of input but what is typed.
  if (!tty) stdin.end()
}

/** Signals as exit codes, as shells have them. */
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
}

interface CommandOptions {
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string | undefined
  readonly tty: boolean
  /** Where its pipes are made. */
  readonly folder: string
}

interface Started {
  readonly child: ChildProcess
  readonly stdin: Writable | null
  readonly stdout: Readable
  readonly stderr: Readable
}

/** Starts it with streams that it can open anew by their names; under a terminal those lead to the terminal anyway. */
async function startCommand(command: readonly string[], options: CommandOptions, hasInput: boolean): Promise<Started> {
  const { tty, cwd, folder } = options
  const [program = '', ...args] = hasInput && !tty ? throughPipe(command) : command
  const env = tty ? { TERM: 'xterm', ...options.env, SHELL: '/bin/sh' } : options.env
  // Without pipes a command is better run than not: it may be what makes room on a full disk.
  const [out, err] = tty ? [] : await makePipes(folder, 2).catch(() => [])
  try {
    const child = spawn(program, args, {
      env,
      ...(cwd ? { cwd } : {}),
      stdio: [hasInput || tty ? 'pipe' : 'ignore', out?.child ?? 'pipe', err?.child ?? 'pipe'],
    })
    return { child, stdin: child.stdin, stdout: out?.ours ?? child.stdout!, stderr: err?.ours ?? child.stderr! }
  } finally {
    for (const pipe of [out, err]) if (pipe) closeSync(pipe.child)
  }
}

/**
 * Runs a command to its end; with `tty` it is one made by `withTerminal`. What it started is killed when the client goes
 * away.
 */
export async function runCommand(
  deps: { platform: Platform; clock: Clock },
  command: readonly string[],
  options: CommandOptions,
  streams: CommandStreams,
): Promise<{ exitCode: number }> {
  const { child, stdin, stdout, stderr } = await startCommand(command, options, streams.stdin !== undefined)
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', error => reject(new RuntimeError('ExecError', `cannot run ${command[0]}: ${error.message}`)))
    child.once('exit', (code, signal) => resolve(code ?? 128 + (SIGNALS[signal ?? ''] ?? 9)))
  })
  let running = true
  const kill = () => {
    if (!running || !child.pid) return
    for (const pid of descendants(child.pid).reverse()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Gone already.
      }
    }
  }
  streams.signal.addEventListener('abort', kill, { once: true })
  if (streams.signal.aborted) kill()
  const window: Window = { settled: Promise.resolve() }
  if (streams.resize && child.pid) {
    void followSize(deps, child.pid, streams.resize, () => running, window).catch(() => {})
  }
  if (streams.stdin || !options.tty) void feed(stdin, streams.stdin, options.tty, window)
  try {
    const flow = { chunks: 0 }
    let delivered = false
    const output = Promise.all([
      drain(stdout, streams.stdout, flow),
      drain(stderr, options.tty ? streams.stdout : streams.stderr, flow),
    ]).then(() => {
      delivered = true
    })
    const exitCode = await ended
    running = false
    // A child that it left behind may hold the pipes open: they are left when nothing moves for a moment. An odd count
    // means that the client is still taking a chunk.
    for (let seen = -1; !delivered && (seen !== flow.chunks || flow.chunks % 2 === 1); ) {
      seen = flow.chunks
      await Promise.race([output, sleep(deps.clock, 250)])
    }
    return { exitCode }
  } finally {
    running = false
    streams.signal.removeEventListener('abort', kill)
    for (const stream of [stdin, stdout, stderr]) stream?.destroy()
  }
}
