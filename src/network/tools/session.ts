/**
 * One long-lived `ip -batch -` or `nft -i` that takes commands on a pipe. Starting either costs 3 ms, and closing nft's
 * netlink socket waits for the kernel's grace period (20 ms after a deletion); a standing one takes 0.4 to 1.2 ms for
 * a change. It owns no state: when it dies, the next command starts another. It ends with Tutti, by its pipe.
 *
 * Invariant: one command is in flight at a time, and its answer ends with the answer to a harmless question (`mark`).
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'

export interface Session {
  /** Runs lines as one unit; resolves with what was printed. Throws an Error with the program's words if it complains. */
  run(lines: string): Promise<string>
  /** Ends the program. Commands that wait are rejected. */
  close(): void
}

/** What `run` throws when the program ended before it answered. */
export class SessionEndedError extends Error {}

export interface SessionSpec {
  readonly command: string
  readonly args: readonly string[]
  /** A question that changes nothing. */
  readonly mark: string
  /** What the answer to `mark` looks like, up to its end. */
  readonly marked: RegExp
  /** What a complaint looks like. */
  readonly failed: RegExp
  readonly cwd?: string
  /** After so many commands another process takes over, at a moment when none waits. Default: never. */
  readonly renewAfter?: number
  /** Told the id of each process that is started. */
  readonly started?: (pid: number) => void
}

interface Job {
  readonly lines: string
  readonly resolve: (output: string) => void
  readonly reject: (error: Error) => void
}

/**
 * Traffic waits for what the program does, and it does little: on a busy machine it goes before the workloads. Only
 * root may say so; anybody else's program stands in line.
 */
function preferred(pid: number | undefined) {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_HIGH)
  } catch {}
}

/** Makes a session; the program is started by the first command. */
export function startSession(spec: SessionSpec): Session {
  const waiting: Job[] = []
  let child: ChildProcessWithoutNullStreams | undefined
  let current: Job | undefined
  let output = ''
  let commands = 0
  let closed = false

  function open(): ChildProcessWithoutNullStreams {
    // The shell puts both outputs on one pipe, so that a complaint is never read after the mark that follows it.
    const started = spawn('sh', ['-c', 'exec "$0" "$@" 2>&1', spec.command, ...spec.args], {
      stdio: 'pipe',
      ...(spec.cwd ? { cwd: spec.cwd } : {}),
      // nft -i keeps a history file in HOME; there is none to keep.
      env: { ...process.env, HOME: '/nonexistent', LC_ALL: 'C' },
    })
    const ended = (why: string) => {
      if (child !== started) return
      child = undefined
      const during = current?.lines.slice(0, 200)
      finish(new SessionEndedError(`${spec.command} ended (${why}) during: ${during}: ${output.trim()}`))
    }
    started.on('error', error => ended(error.message))
    started.on('close', code => ended(`exit code ${code}`))
    started.stdin.on('error', () => {})
    started.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (!spec.marked.test(output)) return
      const said = output.replace(spec.marked, '')
      const failure = spec.failed.test(said)
      finish(failure ? new Error(`${spec.command}: ${said.trim().slice(0, 1000)}`) : undefined, said)
    })
    preferred(started.pid)
    if (started.pid !== undefined) spec.started?.(started.pid)
    // Neither the program nor its pipes keep Tutti alive.
    started.unref()
    for (const stream of [started.stdin, started.stdout, started.stderr])
      (stream as unknown as { unref(): void }).unref()
    return started
  }

  function finish(error: Error | undefined, said = '') {
    const job = current
    current = undefined
    output = ''
    if (error) job?.reject(error)
    else job?.resolve(said)
    next()
  }

  function next() {
    if (current || closed) return
    const job = waiting.shift()
    if (!job) {
      if (child && spec.renewAfter && commands >= spec.renewAfter) renew(child)
      hold(false)
      return
    }
    current = job
    child ??= open()
    commands++
    hold(true)
    child.stdin.write(`${job.lines}\n${spec.mark}\n`)
  }

  function renew(old: ChildProcessWithoutNullStreams) {
    commands = 0
    child = open()
    old.stdin.end()
  }

  /** While an answer is awaited the process must not end for want of other work. */
  function hold(busy: boolean) {
    const stream = child?.stdout as unknown as { ref(): void; unref(): void } | undefined
    if (busy) stream?.ref()
    else stream?.unref()
  }

  return {
    run: lines =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error(`${spec.command}: the session is closed`))
        waiting.push({ lines, resolve, reject })
        next()
      }),
    close() {
      closed = true
      for (const job of waiting.splice(0)) job.reject(new Error(`${spec.command}: the session is closed`))
      child?.stdin.end()
    },
  }
}
